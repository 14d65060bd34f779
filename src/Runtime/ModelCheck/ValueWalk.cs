namespace Dunlin.Runtime.ModelCheck;

/// <summary>A named value of the graph and what is declared of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ElementType">TensorProto.DataType; 0 if not stated.</param>
/// <param name="Shape">Null if not stated.</param>
/// <param name="Position">Byte where it stands.</param>
internal readonly record struct DeclaredValue(string Name, long ElementType, Shape? Shape, long Position);

/// <summary>Checks one ValueInfoProto. Only tensors are allowed, so that types never nest.</summary>
internal sealed class ValueWalk(WalkState walk)
{
    public DeclaredValue Walk(in WireField field, string message)
    {
        const int nameField = 1, typeField = 2, docField = 3, metadataField = 4;
        walk.Require(field, WireType.Bytes, message);
        walk.Count(++walk.ValueInfoCount, CheckLimits.ValueInfos, field, "declared values");
        var once = new Once();
        var (name, type, shape) = ("", 0L, (Shape?)null);
        while (walk.Reader.Next(field.End, out var part))
        {
            switch (part.Number)
            {
                case nameField:
                    once.Take(walk, part);
                    name = walk.Name(part, message);
                    walk.Part = $"{message} {Shown.Name(name)}";
                    break;
                case typeField:
                    once.Take(walk, part);
                    walk.Require(part, WireType.Bytes, message);
                    (type, shape) = Type(part, message);
                    break;
                case docField:
                    once.Take(walk, part);
                    walk.SkipText(part, message);
                    break;
                case metadataField:
                    walk.SkipText(part, message);
                    break;
                default:
                    throw walk.Unknown(part, message);
            }
        }

        walk.Part = null;
        return new DeclaredValue(name, type, shape, field.Start);
    }

    private (long Type, Shape? Shape) Type(in WireField field, string message)
    {
        const int tensorField = 1, denotationField = 6;
        var once = new Once();
        var result = (0L, (Shape?)null);
        while (walk.Reader.Next(field.End, out var part))
        {
            once.Take(walk, part);
            switch (part.Number)
            {
                case tensorField when part.Type == WireType.Bytes:
                    result = Tensor(part, message);
                    break;
                case denotationField:
                    walk.SkipText(part, message);
                    break;
                case 4 or 5 or 7 or 8 or 9:
                    throw walk.Refuse(CheckCodes.Type, part.Start, "the value is a sequence, map, optional, opaque or sparse tensor", "use plain tensors only");
                default:
                    throw walk.Unknown(part, message);
            }
        }

        return result;
    }

    private (long Type, Shape? Shape) Tensor(in WireField field, string message)
    {
        const int elementField = 1, shapeField = 2;
        var once = new Once();
        var (type, shape) = (0L, (Shape?)null);
        while (walk.Reader.Next(field.End, out var part))
        {
            once.Take(walk, part);
            switch (part.Number)
            {
                case elementField when part.Type == WireType.Varint:
                    type = unchecked((long)part.Value);
                    if (TensorTypes.Find(type) is null) throw walk.Refuse(CheckCodes.Type, part.Start, $"the element type {type} is none that a release may use", "use float, integer or boolean tensors");
                    break;
                case shapeField when part.Type == WireType.Bytes:
                    shape = Dimensions(part, message);
                    break;
                default:
                    throw walk.Unknown(part, message);
            }
        }

        return (type, shape);
    }

    private Shape Dimensions(in WireField field, string message)
    {
        const int dimensionField = 1, valueField = 1, nameField = 2, denotationField = 3;
        var shape = new Shape();
        while (walk.Reader.Next(field.End, out var dimension))
        {
            if (dimension is not { Number: dimensionField, Type: WireType.Bytes }) throw walk.Unknown(dimension, message);
            var once = new Once();
            long? size = null;
            while (walk.Reader.Next(dimension.End, out var part))
            {
                once.Take(walk, part);
                switch (part.Number)
                {
                    case valueField when part.Type == WireType.Varint:
                        size = unchecked((long)part.Value);
                        break;
                    case nameField or denotationField:
                        walk.SkipText(part, message);
                        break;
                    default:
                        throw walk.Unknown(part, message);
                }
            }

            // Exporters write −1, a name or nothing for a dimension that is open.
            if (size is null or Shape.Open) shape.AddOpen(walk, dimension.Start);
            else if (once.Has(nameField)) throw walk.Refuse(CheckCodes.Type, dimension.Start, "a dimension has both a size and a name", "export the model again");
            else shape.Add(walk, size.Value, dimension.Start);
        }

        return shape;
    }
}
