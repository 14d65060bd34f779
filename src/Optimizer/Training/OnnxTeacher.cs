using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using ModelInput = Dunlin.Optimizer.Graph.ModelInput;

namespace Dunlin.Optimizer.Training;

/// <summary>Any ONNX classifier with the student's classes, to learn from; it looks at images in its own size. For any number of threads.</summary>
internal sealed class OnnxTeacher : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly long[] _inputShape;
    private readonly bool _givesProbabilities;

    /// <param name="path">The ONNX file.</param>
    /// <param name="options">How an image becomes its input.</param>
    /// <param name="classCount">Of the student.</param>
    /// <param name="student">How an image becomes the student's input: a teacher takes its size that leaves its own open, and its means that does not say others.</param>
    /// <exception cref="InvalidDataException">The model takes no such images, or has another number of classes.</exception>
    public OnnxTeacher(string path, InputOptions options, int classCount, InputSpec? student = null)
    {
        var file = ModelFile.Load(path);
        GraphChecks.Require(file);
        var graph = ModelGraph.Of(file, student is not null && ModelInput.IsOpen(file) ? ShapeLike(student, file) : null);
        var scores = graph.Shapes[graph.Output];
        if (scores[^1] != classCount)
            throw new InvalidDataException($"Teacher '{path}' gives {string.Join('×', scores)} scores where the student has {classCount} classes; take a teacher of the same classes.");
        var own = options.For(graph);
        Input = student is not null && InputMark.Of(file) is null && own.CanBeLike(student) ? own.Like(student) : own;
        IsGivenTheStudents = !Input.IsLike(own);
        if (Input.ElementType != ElementType.Float32) throw new InvalidDataException($"Teacher '{path}' takes {Input.ElementType}; take one of float32 images.");
        var content = File.ReadAllBytes(path);
        (Model, Content, ClassCount) = (graph.Model, Digest.Of(content), classCount);
        _inputShape = [1, .. graph.Input.Shape.Skip(1)];
        _givesProbabilities = ModelEnds.GivesProbabilities(graph.Model);
        _ = OnnxEnvironment.Instance;
        using var session = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(content, session);
    }

    public ModelProto Model { get; }

    /// <summary>Of the file.</summary>
    public Digest Content { get; }

    /// <summary>The beginning of the file's digest.</summary>
    public string Name => Content.Hex[..12];

    /// <summary>How an image becomes its input.</summary>
    public InputSpec Input { get; }

    /// <summary>Whether it does not say how it takes images, and is given them as the student, which was made otherwise than by default.</summary>
    public bool IsGivenTheStudents { get; }

    public int ClassCount { get; }

    /// <summary>The scores of one image before a softmax.</summary>
    /// <param name="tensor">As <see cref="Input"/> says.</param>
    /// <param name="logits">One for each class.</param>
    public void Answer(float[] tensor, Span<float> logits)
    {
        using var image = OrtValue.CreateTensorValueFromMemory(tensor, _inputShape);
        using var results = _session.Run(_run, [_session.InputNames[0]], [image], [_session.OutputNames[0]]);
        results[0].GetTensorDataAsSpan<float>().CopyTo(logits);
        // The logarithm of probabilities is as good as what the softmax was taken of.
        if (_givesProbabilities)
            foreach (ref var logit in logits) logit = MathF.Log(Math.Max(logit, 1e-12f));
    }

    // Of the two layouts the student's, if the teacher takes that.
    private static long[] ShapeLike(InputSpec student, ModelProto teacher)
    {
        long[] first = [1, student.ChannelCount, student.Height, student.Width], last = [1, student.Height, student.Width, student.ChannelCount];
        var (own, other) = student.Layout == TensorLayout.Nchw ? (first, last) : (last, first);
        return ModelInput.Takes(teacher, own) ? own : other;
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
