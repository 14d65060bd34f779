namespace Dunlin.TestKit.Onnx;

/// <summary>ONNX files that break whoever parses them; each named for what it does. Only ever load one in a child process.</summary>
public static class HostileModels
{
    /// <summary>Model-local functions that each call the one below twice: a thousand bytes expand to 2^depth nodes. Hung ORT 1.31.1 at its default limits.</summary>
    public static byte[] HangsInNestedFunctions(int depth = 24)
    {
        var graph = Shell().Node("local:f0", [OnnxModels.Input], ["pre"]);
        for (var level = 0; level < depth; level++)
        {
            var inner = level == depth - 1 ? "Neg" : $"local:f{level + 1}";
            graph.Function($"f{level}", OnnxGraph.NodeOf(inner, ["x"], ["m"]), OnnxGraph.NodeOf(inner, ["m"], ["y"]));
        }

        return Finish(graph, "pre");
    }

    /// <summary>A chain of functions, each calling the next: recursion as deep as <paramref name="depth"/> overflows the stack.</summary>
    public static byte[] OverflowsTheStack(int depth = 6000)
    {
        var graph = Shell().Node("local:f0", [OnnxModels.Input], ["pre"]);
        for (var level = 0; level < depth; level++)
            graph.Function($"f{level}", OnnxGraph.NodeOf(level == depth - 1 ? "Neg" : $"local:f{level + 1}", ["x"], ["y"]));
        return Finish(graph, "pre");
    }

    /// <summary>A constant that is concatenated with itself <paramref name="doublings"/> times: 2^doublings × 4 kB when folded or run.</summary>
    public static byte[] EatsMemory(int doublings = 20)
    {
        var graph = Shell().Weights("c0", new float[1024], 1, 1024);
        for (var step = 0; step < doublings; step++) graph.Node("Concat", [$"c{step}", $"c{step}"], [$"c{step + 1}"], NodeSetting.Integer("axis", 0));
        graph.Node("ReduceSum", [$"c{doublings}"], ["sum"], NodeSetting.Integer("keepdims", 0)).Node("Add", [OnnxModels.Input, "sum"], ["pre"]);
        return Finish(graph, "pre");
    }

    /// <summary>Loads, but a run never ends (until it is terminated).</summary>
    public static byte[] NeverEnds()
    {
        var body = new OnnxGraph()
            .Input("i", OnnxType.Int64).Input("go", OnnxType.Bool).Input("v", OnnxType.Float, 1, 3, 8, 8)
            .Output("goOut", OnnxType.Bool).Output("vOut", OnnxType.Float, 1, 3, 8, 8)
            .Node("Identity", ["go"], ["goOut"]).Node("Neg", ["v"], ["vOut"]);
        var graph = Shell().Weights("trips", [long.MaxValue]).Weights("yes", OnnxType.Bool, [1])
            .Node("Loop", ["trips", "yes", OnnxModels.Input], ["pre"], NodeSetting.Graph("body", body));
        return Finish(graph, "pre");
    }

    /// <summary>Loads, and ends the process in its first run: the least integer, divided by −1, is none.</summary>
    public static byte[] DividesTooFar(string input, string output, int channels, int side) => new OnnxGraph()
        .Input(input, OnnxType.Float, 1, channels, side, side).Output(output, OnnxType.Float, 1, 10)
        .Weights("least", [long.MinValue], 1).Weights("minusOne", [-1L], 1).Weights("dense", new float[10 * channels], 10, channels)
        .Node("Cast", [input], ["whole"], NodeSetting.Integer("to", 7))
        .Node("Sub", ["whole", "whole"], ["zeros"]).Node("Add", ["zeros", "least"], ["leasts"]).Node("Div", ["leasts", "minusOne"], ["none"])
        .Node("Cast", ["none"], ["real"], NodeSetting.Integer("to", 1))
        .Node("GlobalAveragePool", ["real"], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
        .Node("Gemm", ["flat", "dense"], [output], NodeSetting.Integer("transB", 1))
        .ToModel();

    /// <summary>Asks for its weights in another file.</summary>
    public static byte[] HasExternalData(string location) => new OnnxGraph()
        .Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output(OnnxModels.Output, OnnxType.Float, 1, 10)
        .ExternalWeights("dense", location, 10, 3)
        .Node("GlobalAveragePool", [OnnxModels.Input], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
        .Node("Gemm", ["flat", "dense"], [OnnxModels.Output], NodeSetting.Integer("transB", 1))
        .ToModel();

    /// <summary>Bytes that are no model.</summary>
    public static byte[] Garbage => [.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 37))];

    private static OnnxGraph Shell() => new OnnxGraph()
        .Input(OnnxModels.Input, OnnxType.Float, 1, 3, 8, 8).Output(OnnxModels.Output, OnnxType.Float, 1, 10);

    private static byte[] Finish(OnnxGraph graph, string features) => graph
        .Weights("dense", new float[30], 10, 3)
        .Node("GlobalAveragePool", [features], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
        .Node("Gemm", ["flat", "dense"], [OnnxModels.Output], NodeSetting.Integer("transB", 1))
        .ToModel();
}
