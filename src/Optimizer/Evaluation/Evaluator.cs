using System.Diagnostics;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Optimizer.Belt;
using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>One model run as a device runs it: the same preprocessing, the same session settings, one thread.</summary>
internal sealed class Evaluator : IDisposable
{
    private const int WarmUpCount = 20;
    private readonly ModelSession _session;
    private readonly ModelInput _input;
    private readonly Preprocessor _preprocessor;

    /// <exception cref="ModelLoadException">The model does not load, or is not what the input specification says.</exception>
    public Evaluator(string path, InputSpec input, OutputSpec output, IReadOnlyList<string> labels)
    {
        _session = ModelSession.Create(new SessionSpec
        {
            ModelPath = path,
            Saved = false,
            Release = Digest.Of(File.ReadAllBytes(path)),
            Contender = new ContenderId(Path.GetFileNameWithoutExtension(path), "CPUExecutionProvider", 1),
            Input = input,
            Output = output,
            Labels = labels,
        });
        _input = _session.CreateInput();
        _preprocessor = new Preprocessor(input);
    }

    /// <summary>Answers on images that have the model's size already.</summary>
    public ModelAnswers Answer(LabelledImages images, CancellationToken cancellationToken) => Answer(images.Count, images.Labels.ToArray(), i =>
    {
        _preprocessor.ProcessModelSized(images.Image(i), _input.Floats);
        return true;
    }, cancellationToken);

    /// <summary>Answers on camera frames, each with its garment at rest in the inspection window: JPEG, region of interest and all.</summary>
    public ModelAnswers AnswerFrames(LabelledImages images, CancellationToken cancellationToken)
    {
        using var belt = new BeltScene(images);
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        return Answer(images.Count, images.Labels.ToArray(), i =>
        {
            var jpeg = belt.Render(i, travel: 0);
            jpeg.CopyTo(frame.Resize(jpeg.Length));
            return _preprocessor.Process(frame, _input.Floats) == FrameStatus.Ok;
        }, cancellationToken);
    }

    /// <summary>The median time of one inference, without preprocessing.</summary>
    public TimeSpan MedianLatency(int runCount)
    {
        for (var i = 0; i < WarmUpCount; i++) _session.Run(_input);
        var times = new long[runCount];
        for (var i = 0; i < runCount; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            _session.Run(_input);
            times[i] = Stopwatch.GetTimestamp() - begin;
        }

        Array.Sort(times);
        return Stopwatch.GetElapsedTime(0, times[runCount / 2]);
    }

    public void Dispose()
    {
        _preprocessor.Dispose();
        _input.Dispose();
        _session.Dispose();
    }

    private ModelAnswers Answer(int count, byte[] labels, Func<int, bool> fill, CancellationToken cancellationToken)
    {
        var predictions = new int[count];
        var (correct, amongFive) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!fill(i)) throw new InvalidDataException($"Frame {i} of the belt could not be decoded.");
            var scores = _session.Run(_input);
            predictions[i] = Best(scores);
            if (predictions[i] == labels[i]) correct++;
            if (Rank(scores, labels[i]) < 5) amongFive++;
        }

        return new ModelAnswers(predictions, correct, amongFive);
    }

    private static int Best(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        return best;
    }

    private static int Rank(ReadOnlySpan<float> scores, int label)
    {
        var rank = 0;
        foreach (var score in scores)
            if (score > scores[label]) rank++;
        return rank;
    }
}
