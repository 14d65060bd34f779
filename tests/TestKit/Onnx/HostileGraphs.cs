namespace Dunlin.TestKit.Onnx;

/// <summary>Graphs that hang, grow, hide something, or are not the one that was promised.</summary>
internal static class HostileGraphs
{
    private const int NodeField = 1, AttributeField = 5;

    public static IEnumerable<HostileModel> All { get; } =
    [
        new("function bomb: 2^24 nodes out of a kilobyte", "check.domain", () => HostileModels.HangsInNestedFunctions()),
        new("function chain 6000 deep", "check.domain", () => HostileModels.OverflowsTheStack()),
        new("function that calls itself", "check.domain", () => Whole("local:f0").Function("f0", OnnxGraph.NodeOf("local:f0", ["x"], ["y"])).ToModel()),
        new("function that nobody calls", "check.function", () => Whole().Function("f0", OnnxGraph.NodeOf("Neg", ["x"], ["y"])).ToModel()),
        new("function in place of an operator", "check.function", () => Whole().ToModel(more: m => m.Message(25, new ProtoWriter().Text(1, "Relu").Text(4, "x").Text(5, "y").Message(7, OnnxGraph.NodeOf("Neg", ["x"], ["y"]))))),
        new("overload of a function", "check.function", () => Bent(node => node.Text(8, "other"))),
        new("attribute that refers to a function's", "check.function", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "alpha").Number(20, 1).Text(21, "a")))),
        new("loop without end", "check.control-flow", HostileModels.NeverEnds),
        new("loop without a body", "check.control-flow", () => Whole("Loop").ToModel()),
        new("branch", "check.control-flow", () => Whole("If", NodeSetting.Graph("then_branch", Body())).ToModel()),
        new("scan", "check.control-flow", () => Whole("Scan", NodeSetting.Graph("body", Body())).ToModel()),
        new("graph in an attribute of an ordinary operator", "check.control-flow", () => Whole("Relu", NodeSetting.Graph("body", Body())).ToModel()),
        new("graphs nested 2000 deep", "check.control-flow", () => Whole("If", NodeSetting.Graph("then_branch", Nested(2000))).ToModel()),
        new("concatenation bomb", "check.growth", () => HostileModels.EatsMemory()),
        new("concatenation bomb over the input", "check.growth", () => Doubling(20)),
        new("concatenation bomb behind other operators", "check.growth", () => Doubling(20, between: "Identity")),
        new("constant of an endless shape", "check.growth", () => Whole().Weights("huge", [1L << 20, 1L << 20], 2).Node("ConstantOfShape", ["huge"], ["zeros"]).ToModel()),
        new("expansion to 4 TB", "check.growth", () => Whole().Weights("huge", [1, 3, 1L << 20, 1L << 18], 4).Node("Expand", [OnnxModels.Input, "huge"], ["wide"]).ToModel()),
        new("tile with its shape in a node", "check.growth", () => Whole().Node("Constant", [], ["huge"], Value(new ProtoWriter().Number(1, 2).Number(2, 7).Number(7, 1 << 20).Number(7, 1 << 20)))
            .Node("Tile", [OnnxModels.Input, "huge"], ["wide"]).ToModel()),
        new("unknown domain", "check.domain", () => Whole("evil:Run").ToModel()),
        new("domain with operators that classifiers lack", "check.domain", () => Whole("ai.onnx.ml:Scaler").ToModel()),
        new("operator that the manifest does not list", "check.operator", () => Whole("Einsum").ToModel()),
        new("operator without a name", "check.operator", () => Whole("").ToModel()),
        new("known domain that is not imported", "check.domain", () => new ProtoWriter().Number(1, 8).Message(7, Whole().GraphMessage).ToArray()),
        new("training information", "check.training", () => Whole().ToModel(more: m => m.Message(20, new ProtoWriter().Message(1, Body().GraphMessage)))),
        new("operator set of the year 2117", "check.opset", () => Whole().ToModel(opset: 900)),
        new("operator set before classifiers", "check.opset", () => Whole().ToModel(opset: 1)),
        new("operator set imported twice", "check.opset", () => Whole().ToModel(more: m => m.Message(8, new ProtoWriter().Number(2, 17)))),
        new("file format of the year 2117", "check.ir-version", () => Whole().ToModel(ir: 900)),
        new("no file format", "check.ir-version", () => Whole().ToModel(ir: 0)),
        new("another input name", "check.input", () => Shell("picture", OnnxType.Float, [1, 3, 8, 8]).ToModel()),
        new("another input type", "check.input", () => Shell(OnnxModels.Input, OnnxType.Int64, [1, 3, 8, 8]).ToModel()),
        new("another input shape", "check.input", () => Shell(OnnxModels.Input, OnnxType.Float, [1, 3, 4096, 4096]).ToModel()),
        new("another input rank", "check.input", () => Shell(OnnxModels.Input, OnnxType.Float, [1, 3, 64]).ToModel()),
        new("a second input", "check.input", () => Whole().Input("more", OnnxType.Float, 1).ToModel()),
        new("no input", "check.graph", () => Head(new OnnxGraph().Output(OnnxModels.Output, OnnxType.Float, 1, 10), OnnxModels.Input).ToModel()),
        new("another output name", "check.output", () => Head(new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output("pooled", OnnxType.Float, 1, 10), OnnxModels.Input).ToModel()),
        new("another class count", "check.output", () => Head(new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output(OnnxModels.Output, OnnxType.Float, 1, 11), OnnxModels.Input).ToModel()),
        new("a second output", "check.output", () => Whole().Output("pooled", OnnxType.Float, 1, 3).ToModel()),
        new("output that nobody makes", "check.output", () => new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output(OnnxModels.Output, OnnxType.Float, 1, 10)
            .Node("Relu", [OnnxModels.Input], ["other"]).ToModel()),
        new("input that is a weight as well", "check.input", () => Whole().Weights(OnnxModels.Input, new float[192], 1, 3, 8, 8).ToModel()),
        new("node before the one it needs", "check.graph", () => Whole().Node("Relu", ["late"], ["early"]).Node("Relu", [OnnxModels.Input], ["late"]).ToModel()),
        new("node that feeds itself", "check.graph", () => Whole().Node("Relu", ["ring"], ["ring"]).ToModel()),
        new("value made twice", "check.graph", () => Whole().Node("Relu", [OnnxModels.Input], ["twice"]).Node("Neg", [OnnxModels.Input], ["twice"]).ToModel()),
        new("value that nobody makes", "check.graph", () => Whole().Node("Relu", ["nobody"], ["lost"]).ToModel()),
        new("node without an output", "check.graph", () => Whole().Node("Relu", [OnnxModels.Input], []).ToModel()),
        new("weight that a node makes as well", "check.graph", () => Whole().Weights("both", new float[1], 1).Node("Relu", [OnnxModels.Input], ["both"]).ToModel()),
        new("no graph", "check.graph", () => new ProtoWriter().Number(1, 8).ToArray()),
        new("no nodes", "check.graph", () => new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output(OnnxModels.Output, OnnxType.Float, 1, 10).ToModel()),
        new("sequence as a value", "check.type", () => Whole().Raw(g => g.Message(13, new ProtoWriter().Text(1, "s").Message(2, Sequences(1)))).ToModel()),
        new("types nested 5000 deep", "check.type", () => Whole().Raw(g => g.Message(13, new ProtoWriter().Text(1, "s").Message(2, Sequences(5000)))).ToModel()),
        new("declared shape that overflows", "check.tensor", () => Whole().Raw(g => g.Message(13, Declared(1L << 30, 1L << 30, 1L << 30))).ToModel()),
        new("declared shape of 1000 dimensions", "check.limit", () => Whole().Raw(g => g.Message(13, Declared([.. Enumerable.Repeat(1L, 1000)]))).ToModel()),
        new("a million nodes", "check.limit", () => ManyNodes(1_000_000)),
        new("a million values", "check.limit", () => Whole().Raw(g => Repeat(g, 1_000_000, 0x6A, 0x00)).ToModel()),
        new("a node with a million inputs", "check.limit", () => Bent(node => Repeat(node, 1_000_000, 0x0A, 0x00))),
        new("a node with 10,000 attributes", "check.limit", () => Bent(node => Repeat(node, 10_000, 0x2A, 0x03, 0x0A, 0x01, (byte)'a'))),
        new("an attribute with a million numbers", "check.limit", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "a").Bytes(8, new byte[1_000_000])))),
        new("a name of 10 MB", "check.limit", () => Bent(node => node.Bytes(3, new byte[10_000_000]))),
        new("40 MB of metadata", "check.limit", () => Whole().ToModel(more: m => m.Message(14, new ProtoWriter().Bytes(2, new byte[40_000_000])))),
        new("five million entries of metadata", "check.limit", () => Whole().ToModel(more: m => Repeat(m, 5_000_000, 0x72, 0x00))),
        new("stride that overflows", "check.attribute", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "strides").Number(8, 1L << 40).Number(20, 7)))),
        new("attribute with two values", "check.attribute", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "axis").Number(3, 1).Single(2, 1)))),
        new("attribute of another type than it says", "check.attribute", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "axis").Number(3, 1).Number(20, 3)))),
        new("attribute without a name", "check.attribute", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Number(3, 1)))),
        new("attribute that holds types", "check.attribute", () => Bent(node => node.Message(AttributeField, new ProtoWriter().Text(1, "t").Message(14, Sequences(3000))))),
    ];

    /// <summary>A graph that would be fine, with one more node of this operator.</summary>
    internal static OnnxGraph Whole(string? operation = null, params NodeSetting[] settings)
    {
        var graph = Shell(OnnxModels.Input, OnnxType.Float, [1, 3, 8, 8]);
        return operation is null ? graph : graph.Node(operation, [OnnxModels.Input], ["extra"], settings);
    }

    internal static NodeSetting Value(ProtoWriter tensor) => NodeSetting.Tensor("value", tensor);

    private static OnnxGraph Shell(string input, OnnxType type, long[] shape) =>
        Head(new OnnxGraph().Input(input, type, shape).Output(OnnxModels.Output, OnnxType.Float, 1, 10), input);

    private static OnnxGraph Head(OnnxGraph graph, string features) => graph
        .Weights("dense", new float[30], 10, 3)
        .Node("GlobalAveragePool", [features], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
        .Node("Gemm", ["flat", "dense"], [OnnxModels.Output], NodeSetting.Integer("transB", 1));

    private static OnnxGraph Body() => new OnnxGraph().Node("Neg", ["a"], ["b"]).Output("b", OnnxType.Float, 1);

    private static OnnxGraph Nested(int depth)
    {
        var inner = Body();
        for (var i = 0; i < depth; i++) inner = new OnnxGraph().Node("If", ["c"], ["d"], NodeSetting.Graph("then_branch", inner)).Output("d", OnnxType.Float, 1);
        return inner;
    }

    private static byte[] Doubling(int doublings, string? between = null)
    {
        var (graph, current) = (Whole(), OnnxModels.Input);
        for (var i = 0; i < doublings; i++)
        {
            var other = current;
            if (between is not null) graph.Node(between, [current], [other = $"o{i}"]);
            graph.Node("Concat", [current, other], [current = $"c{i}"], NodeSetting.Integer("axis", 0));
        }

        return graph.ToModel();
    }

    private static byte[] ManyNodes(int count)
    {
        var neg = OnnxGraph.NodeOf("Neg", [OnnxModels.Input], [""]).ToArray();
        return Whole().Raw(graph =>
        {
            for (var i = 0; i < count; i++) graph.Bytes(NodeField, neg);
        }).ToModel();
    }

    /// <summary>A good graph with one more node, whose message is bent.</summary>
    private static byte[] Bent(Action<ProtoWriter> bend)
    {
        var node = OnnxGraph.NodeOf("Relu", [OnnxModels.Input], ["extra"]);
        bend(node);
        return Whole().Raw(graph => graph.Message(NodeField, node)).ToModel();
    }

    private static ProtoWriter Sequences(int depth)
    {
        var type = new ProtoWriter().Message(1, new ProtoWriter().Number(1, 1));
        for (var i = 0; i < depth; i++) type = new ProtoWriter().Message(4, new ProtoWriter().Message(1, type));
        return type;
    }

    private static ProtoWriter Declared(params long[] shape)
    {
        var dimensions = new ProtoWriter();
        foreach (var size in shape) dimensions.Message(1, new ProtoWriter().Number(1, size));
        return new ProtoWriter().Text(1, "declared").Message(2, new ProtoWriter().Message(1, new ProtoWriter().Number(1, 1).Message(2, dimensions)));
    }

    internal static void Repeat(ProtoWriter writer, int count, params byte[] bytes)
    {
        for (var i = 0; i < count; i++) writer.Raw(bytes);
    }
}
