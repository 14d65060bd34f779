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
    private readonly ModelSession _session;
    private readonly ModelInput _input;
    private readonly Preprocessor _preprocessor;
    private readonly bool _isFloat;

    /// <exception cref="ModelLoadException">The model does not load, or is not what the input specification says.</exception>
    public Evaluator(SessionSpec spec)
    {
        _session = ModelSession.Create(spec);
        _input = _session.CreateInput();
        _preprocessor = new Preprocessor(spec.Input, ImageLimits.Jpeg);
        _isFloat = spec.Input.ElementType == ElementType.Float32;
    }

    /// <inheritdoc cref="Evaluator(SessionSpec)"/>
    public Evaluator(string path, InputSpec input, OutputSpec output, IReadOnlyList<string> labels)
        : this(Session(path, input, output, labels, threads: 1))
    {
    }

    /// <summary>A model file as a device would run it.</summary>
    public static SessionSpec Session(string path, InputSpec input, OutputSpec output, IReadOnlyList<string> labels, int threads) => new()
    {
        ModelPath = path,
        Saved = false,
        Release = Digest.Of(File.ReadAllBytes(path)),
        Contender = new ContenderId(Path.GetFileNameWithoutExtension(path), "CPUExecutionProvider", threads),
        Input = input,
        Output = output,
        Labels = labels,
    };

    /// <summary>Answers on images that have the model's size already, as a golden set has them.</summary>
    public ModelAnswers Answer(PixelSet images, CancellationToken cancellationToken) => Answer(images.Count, images.Label, i =>
    {
        if (_isFloat) _preprocessor.ProcessModelSized(images.Pixels(i), _input.Floats);
        else _preprocessor.ProcessModelSized(images.Pixels(i), _input.Bytes);
        return true;
    }, cancellationToken);

    /// <summary>Answers on camera frames, each with its garment at rest in the inspection window: JPEG, region of interest and all.</summary>
    /// <param name="images">Of garments.</param>
    /// <param name="classes">Say which output is right for the class of an image.</param>
    /// <param name="cancellationToken">Checked before each frame.</param>
    public ModelAnswers AnswerFrames(LabelledImages images, ClassMap classes, CancellationToken cancellationToken)
    {
        using var belt = new BeltScene(images);
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        return Answer(images.Count, i => classes.OutputOf(images.ClassNames[images.Labels[i]]), i =>
        {
            var jpeg = belt.Render(i, travel: 0);
            jpeg.CopyTo(frame.Resize(jpeg.Length));
            return Fill(frame) == FrameStatus.Ok;
        }, cancellationToken);
    }

    /// <summary>The answer on one image of a data set.</summary>
    /// <param name="sample">The image.</param>
    /// <param name="label">Its right class.</param>
    /// <param name="frame">Memory to read it into.</param>
    /// <param name="answer">Undefined if the image cannot be read.</param>
    /// <returns>Why it cannot be read; null if it could.</returns>
    public string? Answer(ImageSample sample, int label, FrameBuffer frame, out ImageAnswer answer)
    {
        answer = default;
        if (sample.Read(frame) is { } why) return why;
        var status = Fill(frame);
        if (status != FrameStatus.Ok) return ImageSample.Words(status);
        answer = ImageAnswer.Of(_session.Run(_input), label);
        return null;
    }

    public void Dispose()
    {
        _preprocessor.Dispose();
        _input.Dispose();
        _session.Dispose();
    }

    private FrameStatus Fill(FrameBuffer frame) => _isFloat ? _preprocessor.Process(frame, _input.Floats) : _preprocessor.Process(frame, _input.Bytes);

    private ModelAnswers Answer(int count, Func<int, int> label, Func<int, bool> fill, CancellationToken cancellationToken)
    {
        var answers = new ImageAnswer[count];
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!fill(i)) throw new InvalidDataException($"Frame {i} of the belt could not be decoded.");
            answers[i] = ImageAnswer.Of(_session.Run(_input), label(i));
        }

        return new ModelAnswers(answers);
    }
}
