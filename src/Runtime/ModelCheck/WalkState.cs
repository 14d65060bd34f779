using Dunlin.Contracts.Worker;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>What the parts of one walk share: the reader, what the manifest says, names, counts, and what is being looked at.</summary>
internal sealed class WalkState(WireReader reader, CheckModel claims)
{
    private long _textByteCount;

    public WireReader Reader { get; } = reader;
    public CheckModel Claims { get; } = claims;
    public NameTable Names { get; } = new();
    public HashSet<string> Operators { get; } = new(claims.Operators, StringComparer.Ordinal);
    public int NodeCount { get; set; }
    public int TensorCount { get; set; }
    public int ValueInfoCount { get; set; }

    /// <summary>Bytes of all tensors.</summary>
    public long WeightByteCount { get; set; }

    /// <summary>What the walk is in, for messages: <c>in node 'conv1' (Conv)</c>.</summary>
    public string? Node { get; set; }

    /// <summary>As <see cref="Node"/>, of a tensor, value or attribute inside it.</summary>
    public string? Part { get; set; }

    public ModelRefusedException Refuse(string code, long position, string what, string nextStep)
    {
        var where = string.Concat(Part is null ? "" : $", in {Part}", Node is null ? "" : $", in {Node}");
        return new ModelRefusedException(code, FormattableString.Invariant($"At byte {position}{where}: {what}; {nextStep}."));
    }

    public ModelRefusedException Unknown(in WireField field, string message) => Refuse(
        CheckCodes.Field, field.Start, $"{message} has the field {field.Number} (wire type {field.Type}), which ONNX does not have or which is not allowed in releases", "export the model again with a plain exporter");

    public void Require(in WireField field, WireType type, string message)
    {
        if (field.Type != type) throw Unknown(field, message);
    }

    /// <summary>Steps over a comment, a metadata entry or another text that nothing here depends on.</summary>
    public void SkipText(in WireField field, string message)
    {
        Require(field, WireType.Bytes, message);
        if ((_textByteCount += field.End - field.Start) > CheckLimits.TextByteCount)
            throw Refuse(CheckCodes.Limit, field.Start, $"the file has more than {CheckLimits.TextByteCount} bytes of comments and metadata", "leave out debugging text when exporting");
        Reader.SkipTo(field.End);
    }

    /// <summary>A name that is remembered, so that all of them are bounded.</summary>
    public string Name(in WireField field, string message)
    {
        Require(field, WireType.Bytes, message);
        return Reader.Name(field);
    }

    public void Count(int count, int most, in WireField field, string what)
    {
        if (count > most) throw Refuse(CheckCodes.Limit, field.Start, $"there are more than {most} {what}", "a release is an image classifier; check that this is the right file");
    }
}
