using System.Text.Json;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Signing;

/// <summary>Reads and writes the payload of a root envelope.</summary>
public static class RootReader
{
    public const int MaximumByteCount = 256 * 1024;

    public static DocumentResult<Root> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("root", json, MaximumByteCount, StrictJson.Default.Root, RootRules.Check);

    /// <exception cref="DocumentException">The root breaks a rule.</exception>
    public static byte[] Write(Root root) =>
        JsonSerializer.SerializeToUtf8Bytes(DocumentReader.Check("root", root, RootRules.Check).GetOrThrow(), StrictJson.Default.Root);
}

/// <summary>Reads and writes the retained chain of root envelopes.</summary>
public static class RootChainReader
{
    public const int MaximumByteCount = 4 * 1024 * 1024;
    public const int MaximumRootCount = 1024;

    public static DocumentResult<RootChain> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("root chain", json, MaximumByteCount, StrictJson.Default.RootChain, Check);

    /// <exception cref="DocumentException">The chain breaks a rule.</exception>
    public static byte[] Write(RootChain chain) =>
        JsonSerializer.SerializeToUtf8Bytes(DocumentReader.Check("root chain", chain, Check).GetOrThrow(), StrictJson.Default.RootChain);

    private static void Check(RootChain chain, Findings f)
    {
        f.Schema("$.schema", chain.Schema, RootChain.CurrentSchema);
        if (!f.Items("$.roots", chain.Roots, 1, MaximumRootCount)) return;
        for (var i = 0; i < chain.Roots.Count; i++) EnvelopeReader.Check($"$.roots[{i}]", chain.Roots[i], f);
    }
}

/// <summary>Reads and writes the payload of a directive envelope.</summary>
public static class DirectiveReader
{
    public const int MaximumByteCount = 256 * 1024;

    public static DocumentResult<Directive> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("directive", json, MaximumByteCount, StrictJson.Default.Directive, DirectiveRules.Check);

    /// <exception cref="DocumentException">The directive breaks a rule.</exception>
    public static byte[] Write(Directive directive) =>
        JsonSerializer.SerializeToUtf8Bytes(DocumentReader.Check("directive", directive, DirectiveRules.Check).GetOrThrow(), StrictJson.Default.Directive);
}

/// <summary>Reads and writes the payload of a fresh envelope.</summary>
public static class FreshReader
{
    public const int MaximumByteCount = 16 * 1024;

    public static DocumentResult<Fresh> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("fresh document", json, MaximumByteCount, StrictJson.Default.Fresh, Check);

    /// <exception cref="DocumentException">The document breaks a rule.</exception>
    public static byte[] Write(Fresh fresh) =>
        JsonSerializer.SerializeToUtf8Bytes(DocumentReader.Check("fresh document", fresh, Check).GetOrThrow(), StrictJson.Default.Fresh);

    private static void Check(Fresh d, Findings f)
    {
        f.Schema("$.schema", d.Schema, Fresh.CurrentSchema);
        f.Name("$.fleet", d.Fleet);
        f.Name("$.device", d.Device);
        f.Between("$.counter", d.Counter, 0, long.MaxValue, "");
        f.SignedTime("$.time", d.Time);
        f.Require(d.Expires > d.Time, "$.expires", d.Expires, "must be after time", "correct the value");
    }
}

/// <summary>Reads and writes the payload of a command's envelope.</summary>
public static class SignedCommandReader
{
    public const int MaximumByteCount = 16 * 1024;

    public static DocumentResult<SignedCommand> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("command", json, MaximumByteCount, StrictJson.Default.SignedCommand, SignedCommandRules.Check);

    /// <exception cref="DocumentException">The command breaks a rule.</exception>
    public static byte[] Write(SignedCommand command) =>
        JsonSerializer.SerializeToUtf8Bytes(DocumentReader.Check("command", command, SignedCommandRules.Check).GetOrThrow(), StrictJson.Default.SignedCommand);
}
