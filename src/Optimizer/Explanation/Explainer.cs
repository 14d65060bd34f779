using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Optimizer.Explanation;

/// <summary>Says where one model looks. For one thread.</summary>
internal abstract class Explainer : IDisposable
{
    private readonly ModelSession _session;
    private readonly ModelInput _input;
    private readonly Preprocessor _preprocessor;

    /// <param name="model">The file as a device runs it.</param>
    /// <param name="labels">By output.</param>
    protected Explainer(EvaluatedModel model, IReadOnlyList<string> labels)
    {
        Model = model;
        Labels = labels;
        _session = ModelSession.Create(model.Session(labels, Environment.ProcessorCount));
        _input = _session.CreateInput();
        // Tensors are floats here, whatever the model takes.
        _preprocessor = new Preprocessor(model.Input with { ElementType = ElementType.Float32 }, ImageLimits.Jpeg);
    }

    /// <summary>The method, with its source.</summary>
    public abstract string Method { get; }

    protected EvaluatedModel Model { get; }

    private IReadOnlyList<string> Labels { get; }

    /// <summary>Class activation mapping where the graph allows it, occlusion otherwise.</summary>
    public static Explainer Of(EvaluatedModel model, IReadOnlyList<string> labels) =>
        PooledHead.Find(model.Graph) is { } head ? new ClassActivation(model, labels, head) : new OcclusionExplainer(model, labels);

    /// <summary>Makes of a frame what the model sees.</summary>
    /// <param name="frame">As it was read.</param>
    /// <param name="tensor">Undefined if the image cannot be read.</param>
    /// <returns>Why it cannot be read; null if it could.</returns>
    public string? Read(FrameBuffer frame, out float[] tensor)
    {
        tensor = new float[_preprocessor.TensorLength];
        var status = _preprocessor.Process(frame, tensor);
        return status == FrameStatus.Ok ? null : ImageSample.Words(status);
    }

    /// <param name="tensor">Of <see cref="Read"/>.</param>
    /// <param name="wanted">The class to explain; null for the one that the model answers.</param>
    public Explanation Explain(float[] tensor, int? wanted = null)
    {
        var probabilities = Probabilities(tensor).ToArray();
        var answer = ImageAnswer.Of(probabilities, label: 0).Prediction;
        var explained = wanted ?? answer;
        return new Explanation(explained, Labels[explained], probabilities[explained], answer, HeatOf(tensor, explained, probabilities[explained]));
    }

    public virtual void Dispose()
    {
        _preprocessor.Dispose();
        _input.Dispose();
        _session.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <param name="tensor">Of <see cref="Read"/>.</param>
    /// <param name="explained">The class.</param>
    /// <param name="probability">Of the class, for <paramref name="tensor"/>.</param>
    protected abstract HeatMap HeatOf(float[] tensor, int explained, float probability);

    /// <summary>By class; valid until the next call.</summary>
    protected ReadOnlySpan<float> Probabilities(ReadOnlySpan<float> tensor)
    {
        _input.Fill(tensor);
        return _session.Run(_input);
    }
}

/// <summary>Where a model looked for a class.</summary>
/// <param name="Class">The class explained.</param>
/// <param name="ClassName">Its name.</param>
/// <param name="Probability">That the model gave it.</param>
/// <param name="Answer">The class that it answered.</param>
/// <param name="Heat">Over the model's input.</param>
internal sealed record Explanation(int Class, string ClassName, double Probability, int Answer, HeatMap Heat);
