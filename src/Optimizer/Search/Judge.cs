using System.Diagnostics;
using System.Text;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Search;

/// <summary>Measures the models of a study: their answers on the images of the search, and their times.</summary>
internal sealed class Judge(SearchSetup setup, Study study, PixelSet images)
{
    private const int Chunk = 32;
    private const int Seed = 1;
    private readonly int[] _labels = [.. Enumerable.Range(0, images.Count).Select(images.Label)];

    /// <summary>Measures a file of the study, once. A model whose scores are no numbers on some image has no answers.</summary>
    public Build Measure(string id, string name, Precision precision, CancellationToken cancellationToken) => study.Once($"answers-{name}", StudyJson.Default.Build, () =>
    {
        var path = study.Model(name);
        var facts = GraphFacts.Of(ModelFile.Load(path));
        var watch = Stopwatch.StartNew();
        var (answers, refused) = Tried(path, cancellationToken);
        return new Build(id, name, precision, facts.Macs, facts.ParameterCount, new FileInfo(path).Length, answers, watch.Elapsed.TotalSeconds, refused);
    });

    /// <summary>Measures a file of the study, once; null if it has no answers, which is then said.</summary>
    public Build? MeasureOrLeave(string id, string name, Precision precision, Telling telling, CancellationToken cancellationToken)
    {
        var build = Measure(id, name, precision, cancellationToken);
        if (build.Refused is null) return build;
        telling.Say($"{id} is left out: {build.Refused}");
        return null;
    }

    /// <summary>The best class of each image.</summary>
    /// <exception cref="InvalidDataException">A score is not finite.</exception>
    public int[] AnswersOf(string path, CancellationToken cancellationToken)
    {
        var model = setup.Open(path);
        var answers = new int[images.Count];
        var next = -1;
        ThreadTeam.Run(Math.Min(Environment.ProcessorCount, (images.Count + Chunk - 1) / Chunk), () =>
        {
            using var evaluator = model.Open(setup.Data.Classes.Names);
            for (int chunk; (chunk = Interlocked.Increment(ref next)) * Chunk < images.Count;)
            {
                int[] places = [.. Enumerable.Range(chunk * Chunk, Math.Min(Chunk, images.Count - chunk * Chunk))];
                var predictions = evaluator.Answer(images.Select(places), cancellationToken).Predictions;
                for (var i = 0; i < places.Length; i++) answers[places[i]] = predictions[i];
            }
        }, cancellationToken);
        return answers;
    }

    /// <summary>Top-1, 0…1.</summary>
    public double Top1(IReadOnlyList<int> answers) => answers.Zip(_labels).Average(p => p.First == p.Second ? 1.0 : 0);

    public static double Agreement(IReadOnlyList<int> first, IReadOnlyList<int> second) => first.Zip(second).Average(p => p.First == p.Second ? 1.0 : 0);

    /// <summary>Whether a model holds the limit, without regard to the interval.</summary>
    public bool Holds(Build reference, Build build) => setup.Limit.Holds(Top1(reference.Answers), Top1(build.Answers), Agreement(reference.Answers, build.Answers));

    /// <summary>How a model stands to the reference.</summary>
    public Standing StandingOf(Build reference, Build build)
    {
        var count = _labels.Length;
        int[] differences = [.. Enumerable.Range(0, count).Select(i => (build.Answers[i] == _labels[i] ? 1 : 0) - (reference.Answers[i] == _labels[i] ? 1 : 0))];
        var change = PairedBootstrap.MeanOf(differences, Seed);
        var top1 = Estimate.Of(Enumerable.Range(0, count).Count(i => build.Answers[i] == _labels[i]), count);
        var agreement = Estimate.Of(Enumerable.Range(0, count).Count(i => build.Answers[i] == reference.Answers[i]), count);
        return new Standing(top1, setup.Limit.Judge(change, top1, agreement));
    }

    /// <summary>Times models on one thread, in turns in one run, once for the same models.</summary>
    public Dictionary<string, BuildTime> TimesOf(IReadOnlyList<string> names, TimeSpan budget, CancellationToken cancellationToken)
    {
        var key = Digest.Of(Encoding.UTF8.GetBytes(string.Join('\n', names))).Hex[..12];
        return study.Once($"times-{key}", StudyJson.Default.Times, () => Timed(names, budget, cancellationToken));
    }

    private (int[] Answers, string? Refused) Tried(string path, CancellationToken cancellationToken)
    {
        try
        {
            return (AnswersOf(path, cancellationToken), null);
        }
        catch (InvalidDataException error)
        {
            return ([], error.Message);
        }
    }

    /// <summary>Times models on one thread, in turns in one run.</summary>
    /// <returns>By their names.</returns>
    public Dictionary<string, BuildTime> Timed(IReadOnlyList<string> names, TimeSpan budget, CancellationToken cancellationToken)
    {
        var sessions = names.Select(n => setup.Open(study.Model(n)).Session(setup.Data.Classes.Names, threads: 1)).ToList();
        var times = InterleavedLatency.Measure(sessions, InterleavedLatency.RoundCount, budget, cancellationToken);
        return names.Zip(times).ToDictionary(p => p.First, p => new BuildTime(p.Second.Milliseconds, p.Second.CpuMilliseconds));
    }
}

/// <summary>How a model stands on the images of the search, and whether it holds the limit against the reference.</summary>
internal sealed record Standing(Estimate Top1, LimitAnswer Limit);
