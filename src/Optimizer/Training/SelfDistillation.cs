using System.CommandLine;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;

namespace Dunlin.Optimizer.Training;

/// <summary>Training within <c>prune</c> and <c>quantize</c>: the model as it was teaches what they made of it.</summary>
internal sealed class SelfDistillation : IDisposable
{
    private readonly string _model;
    private readonly TrainingOptions _options;
    private readonly TextWriter _said, _errors;
    private readonly OnnxTeacher _teacher;
    private readonly PixelSet _images;
    private readonly TeacherLogits _logits;

    /// <param name="arguments">Of the command, with the options of <see cref="LearningData"/>.</param>
    /// <param name="data">To learn from.</param>
    /// <param name="graph">The model as it is.</param>
    /// <param name="model">Its file, which teaches.</param>
    /// <param name="result">The file that will be written; the teacher's answers are kept beside it.</param>
    /// <param name="options">With the usual rate, and more images at once than memory may hold.</param>
    /// <param name="said">Told of progress.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public SelfDistillation(
        ParseResult arguments, LearningData data, ModelGraph graph, string model, string result, TrainingOptions options, TextWriter said, CancellationToken cancellationToken)
    {
        (_model, _said, _errors) = (model, said, arguments.InvocationConfiguration.Error);
        _options = options with { BatchSize = ActivationMemory.BatchSize(graph, options.BatchSize) };
        _teacher = TrainingRun.TeacherOf(arguments, model, data);
        _images = data.Read(SplitPart.Train, int.MaxValue, _options.Seed, cancellationToken);
        _logits = new TeacherLogits(_teacher, _images.As(_teacher.Input), _options, Environment.ProcessorCount, Path.GetDirectoryName(result));
    }

    /// <summary>The step as a manifest tells it.</summary>
    public Technique Technique => TrainingRun.Distilled(Path.GetFileName(_model), _teacher, _options);

    /// <summary>Trains for the epochs of the options. Interrupted, the same goes on.</summary>
    /// <param name="graph">Is changed.</param>
    /// <param name="name">What this training is, for the line that begins it.</param>
    /// <param name="grids">That its values are to lie on in the end; null for a model in float.</param>
    /// <param name="firstEpoch">Epochs that were trained before, whose views of the images come no second time.</param>
    /// <param name="checkpoint">The file to keep progress in.</param>
    /// <param name="advice">What to do where it diverges.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    /// <returns>Steps done.</returns>
    /// <exception cref="DivergedException">Its loss is no number any more.</exception>
    public int Train(ModelGraph graph, string name, FakeQuantization? grids, int firstEpoch, string checkpoint, string advice, CancellationToken cancellationToken)
    {
        _said.WriteLine($"{name}: {_images.Count} images, {_options.EpochCount} epochs of batches of {Math.Min(_options.BatchSize, _images.Count)}");
        var options = _options with { FirstEpoch = firstEpoch };
        options = TrainingRun.WithRateThatIsBorne(options, new Trainer(_images, options) { Teacher = _logits, Grids = grids }, graph, _said, cancellationToken);
        using var interrupted = Bars.None(_said).SayWhenInterrupted(_errors, checkpoint, cancellationToken);
        try
        {
            return new Trainer(_images, options)
            {
                Teacher = _logits,
                Grids = grids,
                CheckpointPath = checkpoint,
                KeptAside = _said.WriteLine,
                EpochDone = e => _said.WriteLine(TrainingRun.Line(e)),
            }.Run(graph, cancellationToken);
        }
        catch (DivergedException error)
        {
            throw new DivergedException($"{error.Message} {advice}");
        }
    }

    public void Dispose()
    {
        _logits.Dispose();
        _images.Dispose();
        _teacher.Dispose();
    }
}
