namespace Dunlin.Runtime.ModelCheck;

/// <summary>Checks one TensorProto: its type, dimensions and bytes must agree, and the bytes must stand in it.</summary>
internal sealed class TensorWalk(WalkState walk)
{
    public const int RawField = 9;

    private const int DimsField = 1, TypeField = 2, SegmentField = 3, FloatField = 4, Int32Field = 5, StringField = 6, Int64Field = 7, NameField = 8,
        DoubleField = 10, UInt64Field = 11, DocField = 12, ExternalField = 13, LocationField = 14, MetadataField = 16;

    private const string Message = "a tensor";

    /// <summary>Walks the message that <paramref name="field"/> holds.</summary>
    /// <returns>The tensor's name; empty if it has none.</returns>
    public string Walk(in WireField field)
    {
        walk.Require(field, WireType.Bytes, Message);
        walk.Count(++walk.TensorCount, CheckLimits.Tensors, field, "tensors");
        var reader = walk.Reader;
        var outer = walk.Part;
        var (once, shape, data) = (new Once(), new Shape(), new TensorData());
        var (name, type) = ("", 0L);
        while (reader.Next(field.End, out var part))
        {
            switch (part.Number)
            {
                case DimsField when part.Type == WireType.Varint:
                    shape.Add(walk, unchecked((long)part.Value), part.Start);
                    break;
                case DimsField when part.Type == WireType.Bytes:
                    while (reader.Item(part, out var size)) shape.Add(walk, size, part.Start);
                    break;
                case TypeField when part.Type == WireType.Varint:
                    once.Take(walk, part);
                    type = unchecked((long)part.Value);
                    break;
                case NameField:
                    once.Take(walk, part);
                    name = walk.Name(part, Message);
                    walk.Part = $"tensor {Shown.Name(name)}";
                    break;
                case Int64Field when part.Type == WireType.Bytes:
                    while (reader.Item(part, out var value)) data.Add(walk, part, value);
                    break;
                case Int64Field when part.Type == WireType.Varint:
                    data.Add(walk, part, unchecked((long)part.Value));
                    break;
                case FloatField or Int32Field or DoubleField or UInt64Field:
                    data.Skip(walk, part, Typed(part));
                    break;
                case RawField when part.Type == WireType.Bytes:
                    once.Take(walk, part);
                    data.AddRaw(walk, part);
                    break;
                case DocField:
                    once.Take(walk, part);
                    walk.SkipText(part, Message);
                    break;
                case MetadataField:
                    walk.SkipText(part, Message);
                    break;
                case LocationField when part is { Type: WireType.Varint, Value: 0 }:
                    once.Take(walk, part);
                    break;
                case ExternalField or LocationField:
                    throw walk.Refuse(CheckCodes.ExternalData, part.Start, "the tensor's bytes lie outside the file", "pack the model with its weights inside the ONNX file");
                case SegmentField or StringField:
                    throw walk.Refuse(CheckCodes.Tensor, part.Start, part.Number == SegmentField ? "the tensor is a segment of another" : "the tensor holds text", "export the model with plain numeric tensors");
                default:
                    throw walk.Unknown(part, Message);
            }
        }

        walk.WeightByteCount += Agree(field, type, shape, data);
        walk.Part = outer;
        return name;
    }

    /// <summary>Elements of a typed list; a single one outside a packed list counts as one.</summary>
    private long Typed(in WireField field) => (field.Number, field.Type) switch
    {
        (FloatField, WireType.Bytes) => walk.Reader.PackedFixed(field, sizeof(float)),
        (DoubleField, WireType.Bytes) => walk.Reader.PackedFixed(field, sizeof(double)),
        (Int32Field or UInt64Field, WireType.Bytes) => walk.Reader.Packed(field),
        (FloatField, WireType.Fixed32) or (DoubleField, WireType.Fixed64) => 1,
        (Int32Field or UInt64Field, WireType.Varint) => 1,
        _ => throw walk.Unknown(field, Message),
    };

    /// <summary>Compares what a tensor claims with what it holds; gives its bytes.</summary>
    private long Agree(in WireField field, long type, in Shape shape, in TensorData data)
    {
        if (TensorTypes.Find(type) is not { } known)
            throw walk.Refuse(CheckCodes.Tensor, field.Start, $"the tensor's type {type} is none that a release may use", "use float, integer or boolean tensors");
        var bytes = known.ByteCount(shape.Count);
        if (data.Source == 0 && shape.Count == 0) return 0;
        if (data.Source == RawField && data.Count != bytes)
            throw walk.Refuse(CheckCodes.Tensor, field.Start, $"the dimensions {shape} of {known.Name} need {bytes} bytes, and there are {data.Count}", "export the model again");
        if (data.Source != RawField && data.Source != known.ListField)
            throw walk.Refuse(CheckCodes.Tensor, field.Start, data.Source == 0 ? $"the tensor {shape} of {known.Name} has no data" : $"a tensor of {known.Name} has its data in field {data.Source}", "export the model again");
        if (data.Source != RawField && data.Count != shape.Count)
            throw walk.Refuse(CheckCodes.Tensor, field.Start, $"the dimensions {shape} need {shape.Count} elements, and there are {data.Count}", "export the model again");
        if (known.ListField == Int64Field && data.ShapeSize > CheckLimits.ShapeElements)
            throw walk.Refuse(CheckCodes.Growth, field.Start, $"the numbers in the tensor, taken as a shape, ask for more than {CheckLimits.ShapeElements} elements", "no tensor of an image classifier is that large; export the model again");
        return bytes;
    }
}
