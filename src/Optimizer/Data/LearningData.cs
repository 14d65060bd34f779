using System.CommandLine;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>The images that a command may learn from, as its model takes them. The held-out ones are not among them.</summary>
internal sealed class LearningData
{
    private readonly SplitImages _images;
    private readonly IReadOnlyList<string>? _labels;
    private readonly double _unreadableShare;
    private readonly TextWriter _warnings;

    private LearningData(SplitImages images, InputSpec input, ClassMap classes, IReadOnlyList<string>? labels, double unreadableShare, TextWriter warnings) =>
        (_images, Input, Classes, _labels, _unreadableShare, _warnings) = (images, input, classes, labels, unreadableShare, warnings);

    /// <summary>Options of a command that learns from images.</summary>
    public static IEnumerable<Option> Options => [SplitOption.File, .. DataOption.All];

    /// <summary>How an image becomes the model's input.</summary>
    public InputSpec Input { get; }

    public ClassMap Classes { get; }

    /// <param name="arguments">Of the command.</param>
    /// <param name="data">Of its <c>--data</c>.</param>
    /// <param name="graph">That learns.</param>
    /// <param name="model">The file that the graph was read from, if any.</param>
    /// <param name="result">The file that will be written; the split lies beside it.</param>
    /// <param name="said">Told of a new split.</param>
    /// <exception cref="InvalidDataException">The data does not fit the model, or the model was made with another split.</exception>
    public static LearningData Of(ParseResult arguments, DataListing data, ModelGraph graph, string? model, string result, TextWriter said) =>
        Of(arguments, data, graph, model, () => SplitOption.ForLearning(arguments, data, result, said));

    /// <inheritdoc cref="Of(ParseResult, DataListing, ModelGraph, string?, string, TextWriter)"/>
    /// <param name="arguments">Of the command.</param>
    /// <param name="data">Of its <c>--data</c>.</param>
    /// <param name="graph">That learns.</param>
    /// <param name="model">The file that the graph was read from, if any.</param>
    /// <param name="split">Asked for once all else is right.</param>
    public static LearningData Of(ParseResult arguments, DataListing data, ModelGraph graph, string? model, Func<SplitImages> split)
    {
        var input = InputOptions.Of(arguments).For(graph);
        if (input.ElementType != ElementType.Float32)
            throw new InvalidDataException($"Input '{input.Tensor}' takes {input.ElementType}; only a model of float32 images learns. Take its float32 form.");
        var scores = graph.Shapes[graph.Output];
        if (scores.Length != 2) throw new InvalidDataException($"Output '{graph.Output}' is {string.Join('×', scores)}; a classifier gives 1×classes.");
        var labels = DataOption.Labels(arguments, model, graph.Model);
        var classes = ClassMap.Of(data, labels, (int)scores[1]);
        var share = DataOption.UnreadableShare(arguments);
        var images = split();
        if (model is not null) images.RequireSame(graph.Model, model);
        return new LearningData(images, input, classes, labels, share, arguments.InvocationConfiguration.Error);
    }

    /// <summary>Images of one part, to be disposed by the caller; of more than <paramref name="count"/> a random choice, in order.</summary>
    /// <param name="part">Not the held-out one.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="seed">Chooses them.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    /// <exception cref="InvalidDataException">There are none, or too many are unreadable.</exception>
    public PixelSet Read(SplitPart part, int count, int seed, CancellationToken cancellationToken) => Read(Input, part, count, seed, cancellationToken);

    /// <summary>The same images for a model that takes them in another way.</summary>
    public PixelSet Read(InputSpec input, SplitPart part, int count, int seed, CancellationToken cancellationToken)
    {
        var samples = _images.Of(part);
        if (samples.Count == 0)
            throw new InvalidDataException($"No image of the data is {SplitShares.Word(part)}; give more images, or make a split with a larger share for them.");
        if (count < samples.Count)
        {
            int[] order = [.. Enumerable.Range(0, samples.Count)];
            new Random(seed).Shuffle(order);
            samples = [.. order[..count].Order().Select(i => samples[i])];
        }

        var pixels = PixelSet.Read(samples, Classes, input, _unreadableShare, cancellationToken);
        if (pixels.Unreadable.Count > 0) _warnings.WriteLine($"{UnreadableImage.Sentence(pixels.Unreadable, samples.Count)} They are left out.");
        return pixels;
    }

    /// <summary>Holds another model that is learnt from to the same split.</summary>
    /// <exception cref="InvalidDataException">It was made with another.</exception>
    public void RequireSame(ModelProto model, string name) => _images.RequireSame(model, name);

    /// <summary>How many images a part has.</summary>
    public int CountOf(SplitPart part) => _images.Of(part).Count;

    /// <summary>Notes in a model that it was made with this split, and what <see cref="MarkEnds"/> notes.</summary>
    public void Mark(ModelProto model)
    {
        _images.Mark(model);
        MarkEnds(model);
    }

    /// <summary>Notes in a model how images become its input, and what its outputs are called if that was said.</summary>
    public void MarkEnds(ModelProto model)
    {
        InputMark.Write(model, Input);
        if (_labels is not null) LabelMark.Write(model, _labels);
    }
}
