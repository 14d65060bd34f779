using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Bench.Material;

/// <summary>The bundle that ships, its contenders here, and frames of its conveyor belt.</summary>
internal sealed class DemoBundle(Workshop workshop)
{
    private const string Dataset = "/usr/share/datasets/fashion-mnist";
    private const int FrameCount = 360;

    public static bool HasFrames => Directory.Exists(Dataset);

    public string Frames() => workshop.Once("belt", folder => BeltFilm.Write(FashionMnist.ReadTest(Dataset), folder, FrameCount, seed: 1, CancellationToken.None));

    /// <summary>All that may race on this machine, on saved models, in order of preference.</summary>
    public IReadOnlyList<SessionSpec> Contenders()
    {
        var bundle = Bundle.Open(workshop.DemoBundle);
        var saved = bundle.Manifest.Variants.ToDictionary(variant => variant.Id, variant => Saved(bundle, variant));
        return [.. Dunlin.Runtime.Racing.Contenders.Enumerate(bundle.Manifest, BoardFacts.Read(), new ContenderOptions())
            .Where(contender => contender.Blocked is null).Select(contender => saved[contender.Variant.Id] with { Contender = contender.Id })];
    }

    private SessionSpec Saved(Bundle bundle, Variant variant) => workshop.Saved(new SessionSpec
    {
        ModelPath = bundle.PathOf(variant),
        Saved = false,
        Release = bundle.ReleaseId,
        Contender = new ContenderId(variant.Id, Providers.Cpu, 1),
        Input = bundle.Manifest.Input,
        Output = bundle.Manifest.Output,
        Labels = bundle.Labels,
    });
}
