namespace Dunlin.Optimizer.Training;

/// <summary>The trained numbers of a network by name, free of any framework.</summary>
internal sealed class Weights
{
    private readonly Dictionary<string, (long[] Shape, float[] Values)> _entries = [];

    public IEnumerable<string> Names => _entries.Keys;

    public (long[] Shape, float[] Values) this[string name]
    {
        get => _entries.TryGetValue(name, out var entry)
            ? entry
            : throw new InvalidDataException($"The weights lack '{name}'; they belong to another network.");
        set => _entries[name] = value;
    }

    public void Write(BinaryWriter writer)
    {
        writer.Write(_entries.Count);
        foreach (var (name, (shape, values)) in _entries)
        {
            writer.Write(name);
            writer.Write(shape.Length);
            foreach (var dimension in shape) writer.Write(dimension);
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    public static Weights Read(BinaryReader reader)
    {
        var weights = new Weights();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var name = reader.ReadString();
            var shape = new long[reader.ReadInt32()];
            for (var i = 0; i < shape.Length; i++) shape[i] = reader.ReadInt64();
            var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
            weights[name] = (shape, values);
        }

        return weights;
    }
}
