using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>A model's image input.</summary>
/// <param name="Name">Of the tensor.</param>
/// <param name="Shape">As declared, or as given for what was left open; an open batch counts as 1.</param>
/// <param name="HasOpenBatch">Whether the model takes any number of images at once.</param>
internal sealed record ModelInput(string Name, IReadOnlyList<long> Shape, bool HasOpenBatch)
{
    /// <summary>Takes the shape from the model, and writes a given one into it.</summary>
    /// <exception cref="InvalidDataException">More than the batch is open and no shape is given, or it contradicts the model.</exception>
    public static ModelInput Of(ModelProto model, IReadOnlyList<long>? given)
    {
        var input = Image(model);
        var declared = Declared(input);
        if (declared is [> 1, _, _, _])
            throw new InvalidDataException($"Input '{input.Name}' takes {declared[0]} images at once ({Shown(input)}), and a device has one at a time; export the model with a batch of 1, or with an open one.");
        if (given is not null) return Given(input, declared, given);
        if (declared is null) throw new InvalidDataException($"Input '{input.Name}' declares no shape; say it with --input-shape, for example 1x3x224x224.");
        if (FirstOpen(declared) is > 0 and var open)
            throw new InvalidDataException($"Input '{input.Name}' leaves dimension {open} open ({Shown(input)}); say its shape with --input-shape, for example 1x3x224x224.");
        return new ModelInput(input.Name, [.. declared.Select(d => d ?? 1)], declared.Length > 0 && declared[0] is null);
    }

    /// <summary>Whether more than the batch is open, so that a shape must be given.</summary>
    public static bool IsOpen(ModelProto model) => Declared(Image(model)) is not { } declared || FirstOpen(declared) > 0;

    /// <summary>Whether a model takes images of a shape.</summary>
    public static bool Takes(ModelProto model, IReadOnlyList<long> shape) => Fits(Declared(Image(model)), shape);

    /// <summary>A shape as it is typed, <c>1x3x224x224</c>.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static IReadOnlyList<long> ParseShape(string text)
    {
        var sizes = new List<long>();
        foreach (var part in text.Split('x', 'X', '×', ','))
            sizes.Add(long.TryParse(part, out var size) && size is > 0 and <= 65_536 ? size : throw new FormatException($"'{text}' is not a shape; write its sizes, for example 1x3x224x224."));
        return sizes;
    }

    private static ModelInput Given(ValueInfoProto input, long?[]? declared, IReadOnlyList<long> given)
    {
        if (given is [> 1, _, _, _])
            throw new InvalidDataException($"The given shape {string.Join('×', given)} is of {given[0]} images, and a device has one at a time; begin it with 1.");
        if (!Fits(declared, given)) throw new InvalidDataException($"Input '{input.Name}' is {Shown(input)}, which the given shape {string.Join('×', given)} does not fit.");
        var shape = new TensorShapeProto();
        foreach (var size in given) shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        input.Type.TensorType.Shape = shape;
        return new ModelInput(input.Name, given, HasOpenBatch: false);
    }

    private static ValueInfoProto Image(ModelProto model)
    {
        var constants = model.Graph.Initializer.Select(i => i.Name).ToHashSet();
        return model.Graph.Input.Single(i => !constants.Contains(i.Name));
    }

    // Null where nothing is declared, of a dimension or of all.
    private static long?[]? Declared(ValueInfoProto input) => input.Type?.TensorType?.Shape?.Dim.Select(d => d.HasDimValue && d.DimValue > 0 ? d.DimValue : (long?)null).ToArray();

    private static int FirstOpen(long?[] declared) => Array.IndexOf(declared, null, Math.Min(1, declared.Length));

    private static bool Fits(long?[]? declared, IReadOnlyList<long> shape) =>
        declared is null || (declared.Length == shape.Count && declared.Zip(shape).All(d => d.First is null || d.First == d.Second));

    private static string Shown(ValueInfoProto input) =>
        string.Join('×', input.Type.TensorType.Shape.Dim.Select(d => d.HasDimValue && d.DimValue > 0 ? $"{d.DimValue}" : d.DimParam.Length > 0 ? d.DimParam : "?"));
}
