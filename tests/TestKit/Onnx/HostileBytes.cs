namespace Dunlin.TestKit.Onnx;

/// <summary>Bytes that are no ONNX file, or almost one.</summary>
internal static class HostileBytes
{
    private static byte[] Good => OnnxModels.Tiny();

    public static IEnumerable<HostileModel> All { get; } =
    [
        new("noise", "check.malformed", () => HostileModels.Garbage),
        new("a web page", "check.malformed", () => [.. "<!DOCTYPE html><html><head><title>404 Not Found</title></head></html>"u8]),
        new("an archive", "check.malformed", () => [0x1F, 0x8B, 0x08, .. new byte[100]]),
        new("nothing but zeros", "check.malformed", () => new byte[1000]),
        new("an empty file", "check.graph", () => []),
        new("half a model", "check.malformed", () => Good[..(Good.Length / 2)]),
        new("all but the last byte", "check.malformed", () => Good[..^1]),
        new("a zero behind the model", "check.malformed", () => [.. Good, 0]),
        new("noise behind the model", "check.malformed", () => [.. Good, .. HostileModels.Garbage]),
        new("a second model behind the first", "check.field", () => [.. Good, .. Good]),
        new("a second graph, which parsers merge", "check.field", () => [.. Good, .. new ProtoWriter().Message(7, new ProtoWriter().Text(2, "evil")).ToArray()]),
        new("an unknown field", "check.field", () => [.. Good, .. new ProtoWriter().Bytes(999, new byte[100]).ToArray()]),
        new("a group", "check.malformed", () => [.. Good, 0x3B, 0x08, 0x01, 0x3C]),
        new("groups nested 100,000 deep", "check.malformed", () => [.. Good, .. Enumerable.Repeat((byte)0x0B, 100_000), .. Enumerable.Repeat((byte)0x0C, 100_000)]),
        new("an impossible wire type", "check.malformed", () => [.. Good, 0x0E, 0x01]),
        new("field number 0", "check.malformed", () => [.. Good, 0x02, 0x00]),
        new("a number of 11 bytes", "check.malformed", () => [.. Good, 0x28, .. Enumerable.Repeat((byte)0xFF, 10), 0x01]),
        new("a number of 65 bits", "check.malformed", () => [.. Good, 0x28, .. Enumerable.Repeat((byte)0xFF, 9), 0x02]),
        new("a number that the file ends in", "check.malformed", () => [.. Good, 0x28, 0xFF]),
        new("a length beyond the file", "check.malformed", () => [.. Good, 0x32, 0x80, 0x80, 0x80, 0x80, 0x04]),
        new("a length of 2^63", "check.malformed", () => [.. Good, 0x32, .. Enumerable.Repeat((byte)0x80, 9), 0x01]),
        new("a length of 2^64 - 1", "check.malformed", () => [.. Good, 0x32, .. Enumerable.Repeat((byte)0xFF, 9), 0x01]),
        new("a length beyond its message", "check.malformed", () => HostileGraphs.Whole().Raw(g => g.Raw(0x0A, 0x04, 0x0A, 0x7F, 0x00, 0x00)).ToModel()),
        new("a name that is no text", "check.malformed", () => HostileGraphs.Whole().Raw(g => g.Message(1, new ProtoWriter().Bytes(3, [0xC3, 0x28, 0xFF]))).ToModel()),
        new("the graph as a number", "check.field", () => new ProtoWriter().Number(1, 8).Number(7, 1).ToArray()),
    ];
}
