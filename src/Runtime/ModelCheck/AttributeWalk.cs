namespace Dunlin.Runtime.ModelCheck;

/// <summary>Checks one AttributeProto of a node: one value, of the stated type, without graphs.</summary>
internal sealed class AttributeWalk(WalkState walk, TensorWalk tensors)
{
    private const int NameField = 1, FloatField = 2, IntField = 3, TextField = 4, TensorField = 5, GraphField = 6, FloatsField = 7, IntsField = 8,
        TextsField = 9, TensorsField = 10, GraphsField = 11, DocField = 13, TypeProtoField = 14, TypeProtosField = 15, TypeField = 20, ReferenceField = 21,
        SparseField = 22, SparsesField = 23;

    private const string Message = "an attribute";
    private static readonly string[] Windows = ["strides", "pads", "dilations", "kernel_shape", "output_padding", "output_shape", "group", "blocksize"];

    public void Walk(in WireField field)
    {
        walk.Require(field, WireType.Bytes, Message);
        var once = new Once();
        var items = new Items();
        var (name, type) = ("", 0UL);
        while (walk.Reader.Next(field.End, out var part))
        {
            switch (part.Number)
            {
                case NameField:
                    once.Take(walk, part);
                    name = walk.Name(part, Message);
                    walk.Part = $"attribute {Shown.Name(name)}";
                    break;
                case TypeField when part.Type == WireType.Varint:
                    once.Take(walk, part);
                    type = part.Value;
                    break;
                case DocField:
                    once.Take(walk, part);
                    walk.SkipText(part, Message);
                    break;
                case FloatField when part.Type == WireType.Fixed32:
                    items.Add(walk, part, 1, single: true);
                    break;
                case IntField when part.Type == WireType.Varint:
                    items.Add(walk, part, 1, single: true);
                    items.Number(unchecked((long)part.Value));
                    break;
                case IntsField when part.Type == WireType.Varint:
                    items.Add(walk, part, 1, single: false);
                    items.Number(unchecked((long)part.Value));
                    break;
                case IntsField when part.Type == WireType.Bytes:
                    while (walk.Reader.Item(part, out var value))
                    {
                        items.Add(walk, part, 1, single: false);
                        items.Number(value);
                    }

                    break;
                case FloatsField when part.Type == WireType.Fixed32:
                    items.Add(walk, part, 1, single: false);
                    break;
                case FloatsField when part.Type == WireType.Bytes:
                    items.Add(walk, part, walk.Reader.PackedFixed(part, sizeof(float)), single: false);
                    break;
                case TextField or TextsField:
                    items.Add(walk, part, 1, single: part.Number == TextField);
                    walk.SkipText(part, Message);
                    break;
                case TensorField:
                    items.Add(walk, part, 1, single: true);
                    tensors.Walk(part);
                    break;
                case GraphField or GraphsField:
                    throw walk.Refuse(CheckCodes.ControlFlow, part.Start, "the attribute holds a graph", "export the model without If, Loop and Scan");
                case SparseField or SparsesField:
                    throw walk.Refuse(CheckCodes.Sparse, part.Start, "the attribute holds a sparse tensor", "use dense tensors");
                case ReferenceField:
                    throw walk.Refuse(CheckCodes.Function, part.Start, "the attribute refers to one of a function", "inline the model's functions");
                case TensorsField or TypeProtoField or TypeProtosField:
                    throw walk.Refuse(CheckCodes.Attribute, part.Start, "the attribute holds a list of tensors or a type, which no operator of a classifier has", "use other operators");
                default:
                    throw walk.Unknown(part, Message);
            }
        }

        Agree(field, name, type, items);
        walk.Part = null;
    }

    private void Agree(in WireField field, string name, ulong type, in Items items)
    {
        if (name.Length == 0) throw walk.Refuse(CheckCodes.Attribute, field.Start, "the attribute has no name", "export the model again");
        if (items.Field != 0 && type != 0 && type != TypeOf(items.Field))
            throw walk.Refuse(CheckCodes.Attribute, field.Start, $"the attribute says that it is of type {type}, and its value is of type {TypeOf(items.Field)}", "export the model again");
        if ((items.Largest > CheckLimits.WindowSize || items.Smallest < -CheckLimits.WindowSize) && Windows.Contains(name, StringComparer.Ordinal))
            throw walk.Refuse(CheckCodes.Attribute, field.Start, $"the attribute has a value outside ±{CheckLimits.WindowSize}", "no layer of an image classifier is that large; export the model again");
    }

    /// <summary>AttributeProto.AttributeType of what a field holds.</summary>
    private static ulong TypeOf(int field) => field switch
    {
        FloatField => 1,
        IntField => 2,
        TextField => 3,
        TensorField => 4,
        FloatsField => 6,
        IntsField => 7,
        _ => 8,
    };

    /// <summary>The one field that holds the value, how many items, and the range of its integers.</summary>
    private struct Items
    {
        private long _count;

        public int Field { get; private set; }
        public long Smallest { get; private set; }
        public long Largest { get; private set; }

        public void Add(WalkState walk, in WireField field, long count, bool single)
        {
            if (Field != 0 && (Field != field.Number || single))
                throw walk.Refuse(CheckCodes.Attribute, field.Start, "the attribute has more than one value", "export the model again");
            Field = field.Number;
            if ((_count += count) > CheckLimits.AttributeItems)
                throw walk.Refuse(CheckCodes.Limit, field.Start, $"the attribute has more than {CheckLimits.AttributeItems} items", "store long lists as initializers");
        }

        public void Number(long value) => (Smallest, Largest) = (Math.Min(Smallest, value), Math.Max(Largest, value));
    }
}
