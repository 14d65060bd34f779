namespace Dunlin.TestKit.Onnx;

/// <summary>Weights that lie elsewhere, are not as large as they say, or are said twice.</summary>
internal static class HostileTensors
{
    private const int DimsField = 1, TypeField = 2, SegmentField = 3, FloatField = 4, Int32Field = 5, TextField = 6, NameField = 8, RawField = 9, ExternalField = 13, LocationField = 14;
    private const int Float = 1, Text = 8;

    public static IEnumerable<HostileModel> All { get; } =
    [
        External("in the same folder", "weights.bin"),
        External("above the folder", "../../../../etc/passwd"),
        External("at an absolute path", "/etc/passwd"),
        External("behind a symbolic link", "link.bin"),
        External("behind a hard link", "hard.bin"),
        External("in the working directory", "./trust/root.json"),
        External("in the process's memory", "*/_ORT_MEM_ADDR_/*"),
        External("in a device", "/dev/zero"),
        External("in /proc", "/proc/self/mem"),
        new("external weights without a place", "check.external-data", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Float).Number(LocationField, 1))),
        new("place without external weights", "check.external-data", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Float).Message(ExternalField, new ProtoWriter().Text(1, "location").Text(2, "x")).Bytes(RawField, new byte[4]))),
        new("external weights in a node", "check.external-data", () => HostileGraphs.Whole("Constant", HostileGraphs.Value(new ProtoWriter().Number(DimsField, 1).Number(TypeField, Float).Number(LocationField, 1))).ToModel()),
        new("dimensions that overflow to zero", "check.tensor", () => Dims(0, 1L << 32, 1L << 32)),
        new("dimensions that overflow to the right size", "check.tensor", () => Dims(16, (1L << 62) + 1, 4)),
        new("dimensions beyond all memory", "check.tensor", () => Dims(0, 1L << 30, 1L << 30)),
        new("negative dimensions", "check.tensor", () => Dims(4, -1, -1)),
        new("1000 dimensions", "check.limit", () => Dims(4, [.. Enumerable.Repeat(1L, 1000)])),
        new("packed dimensions that overflow", "check.tensor", () => Graph(t => t.Bytes(DimsField, [0x80, 0x80, 0x80, 0x80, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10]).Number(TypeField, Float).Bytes(RawField, []))),
        new("fewer bytes than the dimensions say", "check.tensor", () => Dims(12, 2, 2)),
        new("more bytes than the dimensions say", "check.tensor", () => Dims(1_000_000, 2, 2)),
        new("no bytes", "check.tensor", () => Graph(t => t.Number(DimsField, 1 << 20).Number(TypeField, Float))),
        new("bytes in two fields", "check.tensor", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Float).Bytes(RawField, new byte[4]).Bytes(FloatField, new byte[4]))),
        new("numbers in the field of another type", "check.tensor", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Float).Number(Int32Field, 1))),
        new("list shorter than the dimensions say", "check.tensor", () => Graph(t => t.Number(DimsField, 4).Number(TypeField, Float).Bytes(FloatField, new byte[8]))),
        new("list that is cut in a number", "check.malformed", () => Graph(t => t.Number(DimsField, 4).Number(TypeField, Float).Bytes(FloatField, new byte[15]))),
        new("weights of no type", "check.tensor", () => Graph(t => t.Number(DimsField, 1).Bytes(RawField, new byte[4]))),
        new("weights of an unknown type", "check.tensor", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, 77).Bytes(RawField, new byte[4]))),
        new("weights that are text", "check.tensor", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Text).Text(TextField, "x"))),
        new("segment of a tensor", "check.tensor", () => Graph(t => t.Message(SegmentField, new ProtoWriter().Number(1, 0).Number(2, 1 << 30)).Number(DimsField, 1).Number(TypeField, Float).Bytes(RawField, new byte[4]))),
        new("two raw data", "check.field", () => Graph(t => t.Number(DimsField, 1).Number(TypeField, Float).Bytes(RawField, new byte[4]).Bytes(RawField, new byte[4]))),
        new("two weights of one name", "check.graph", () => HostileGraphs.Whole().Weights("w", new float[1], 1).Weights("w", new float[1 << 16], 1 << 16).ToModel()),
        new("weights without a name", "check.graph", () => HostileGraphs.Whole().Weights("", new float[1], 1).ToModel()),
        new("sparse weights", "check.sparse", () => HostileGraphs.Whole().Raw(g => g.Message(15, new ProtoWriter().Number(3, 1L << 40))).ToModel()),
        new("sparse weights in a node", "check.sparse", () => HostileGraphs.Whole().Raw(g => g.Message(1, OnnxGraph.NodeOf("Constant", [], ["s"]).Message(5, new ProtoWriter().Text(1, "sparse_value").Message(22, new ProtoWriter().Number(3, 1L << 40))))).ToModel()),
        new("a hundred thousand weights", "check.limit", () => HostileGraphs.Whole().Raw(g =>
        {
            for (var i = 0; i < 100_000; i++) g.Message(5, new ProtoWriter().Number(DimsField, 0).Number(TypeField, Float).Text(NameField, $"w{i}"));
        }).ToModel()),
        new("80 MB of varints", "check.limit", () => Graph(t => t.Number(DimsField, 80_000_000).Number(TypeField, 3).Bytes(Int32Field, new byte[80_000_000]))),
    ];

    private static HostileModel External(string where, string location) => new($"external weights {where}", "check.external-data", () => HostileModels.HasExternalData(location));

    private static byte[] Dims(int byteCount, params long[] sizes) => Graph(tensor =>
    {
        foreach (var size in sizes) tensor.Number(DimsField, size);
        tensor.Number(TypeField, Float).Bytes(RawField, new byte[byteCount]);
    });

    private static byte[] Graph(Action<ProtoWriter> write)
    {
        var tensor = new ProtoWriter();
        write(tensor);
        return HostileGraphs.Whole().Raw(graph => graph.Message(5, tensor.Text(NameField, "bad"))).ToModel();
    }
}
