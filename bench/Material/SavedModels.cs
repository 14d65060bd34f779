using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Bench.Material;

/// <summary>Saved forms in the work folder, by the agent's own key, so that another CPU or runtime makes others.</summary>
internal static class SavedModels
{
    /// <returns>The spec that loads the saved form.</returns>
    public static SessionSpec Saved(this Workshop workshop, SessionSpec spec)
    {
        var key = SavedModelKey.Compute(Digest.Of(File.ReadAllBytes(spec.ModelPath)), Providers.OnnxRuntimeVersion, BoardFacts.Read().CpuFlags, spec.Contender.ExecutionProvider);
        var folder = workshop.Once($"saved-{key.Hex[..16]}", path => SavedModel.Save(spec with { Contender = spec.Contender with { Threads = 1 } }, path));
        return spec with { ModelPath = SavedModel.GraphPath(folder), Saved = true };
    }
}
