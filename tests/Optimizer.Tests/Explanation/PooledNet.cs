using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Explanation;

/// <summary>A gray image of 4 × 4, its brightness and its darkness as two channels, pooled, and three classes that weigh them: bright, dark and neither.</summary>
internal static class PooledNet
{
    public static readonly IReadOnlyList<string> ClassNames = ["bright", "dark", "neither"];

    // By class: of brightness, of darkness.
    private static readonly float[] Weights = [1, -0.5f, -1, 2, 0.1f, 0.1f];

    /// <param name="pool">GlobalAveragePool, AveragePool, ReduceMean, or MaxPool, which class activation mapping cannot see through.</param>
    /// <param name="linear">Gemm, GemmPlain (without transB), MatMul, or Conv of one pixel.</param>
    /// <param name="quantized">Weights and activation as bytes, in QuantizeLinear and DequantizeLinear.</param>
    public static ModelProto Make(string pool = "GlobalAveragePool", string linear = "Gemm", bool quantized = false)
    {
        var graph = new GraphProto { Name = "pooled" };
        graph.Input.Add(Nodes.FloatValue("image", 1, 1, 4, 4));
        graph.Output.Add(Nodes.FloatValue("scores", 1, 3));
        Constant(Tensors.Of("filters", [1f, -1f], 2, 1, 1, 1));
        Constant(Tensors.Of("offsets", [0f, 1f], 2));
        Node("Conv", ["image", "filters", "offsets"], "channels");
        var x = quantized ? Bytes("channels", 1 / 255f) : "channels";
        x = Pool(graph, pool, x);
        if (linear != "Conv" && pool != "ReduceMean") x = Node("Flatten", [x], "flat");
        Linear(graph, linear, x, quantized);
        var model = new ModelProto { IrVersion = ModelFile.IrVersion, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = ModelFile.OpsetVersion });
        return model;

        void Constant(TensorProto tensor) => graph.Initializer.Add(tensor);

        string Node(string operation, string[] inputs, string output, params AttributeProto[] attributes)
        {
            graph.Node.Add(Nodes.Make(operation, inputs, output, attributes));
            return output;
        }

        string Bytes(string value, float scale)
        {
            Constant(Tensors.Of($"{value}.scale", [scale]));
            Constant(Tensors.Of($"{value}.zero", new byte[] { 0 }));
            Node("QuantizeLinear", [value, $"{value}.scale", $"{value}.zero"], $"{value}.bytes");
            return Node("DequantizeLinear", [$"{value}.bytes", $"{value}.scale", $"{value}.zero"], $"{value}.again");
        }
    }

    private static string Pool(GraphProto graph, string pool, string x)
    {
        graph.Node.Add(pool switch
        {
            "ReduceMean" => Nodes.Make(pool, [x], "pooled", Nodes.Ints("axes", -1, 2), Nodes.Int("keepdims", 0)),
            "GlobalAveragePool" => Nodes.Make(pool, [x], "pooled"),
            _ => Nodes.Make(pool, [x], "pooled", Nodes.Ints("kernel_shape", 4, 4)),
        });
        return "pooled";
    }

    private static void Linear(GraphProto graph, string linear, string x, bool quantized)
    {
        float[] columns = [.. Enumerable.Range(0, 6).Select(i => Weights[i % 3 * 2 + i / 3])];
        var byColumns = linear is "GemmPlain" or "MatMul";
        long[] shape = linear == "Conv" ? [3, 2, 1, 1] : byColumns ? [2, 3] : [3, 2];
        if (quantized)
        {
            // A scale a class, so that wrong dequantization shows.
            graph.Initializer.Add(Tensors.Of("w.bytes", [.. (byColumns ? columns : Weights).Select((v, i) => (sbyte)Math.Round(v / Scale(byColumns ? i % 3 : i / 2)))], shape));
            graph.Initializer.Add(Tensors.Of("w.scale", [Scale(0), Scale(1), Scale(2)], 3));
            graph.Initializer.Add(Tensors.Of("w.zero", new sbyte[3], 3));
            graph.Node.Add(Nodes.Make("DequantizeLinear", ["w.bytes", "w.scale", "w.zero"], "w", Nodes.Int("axis", byColumns ? 1 : 0)));
        }
        else
        {
            graph.Initializer.Add(Tensors.Of("w", byColumns ? columns : Weights, shape));
        }

        graph.Node.Add(linear switch
        {
            "Conv" => Nodes.Make("Conv", [x, "w"], "unflat"),
            "MatMul" => Nodes.Make("MatMul", [x, "w"], "unbiased"),
            "GemmPlain" => Nodes.Make("Gemm", [x, "w"], "scores"),
            _ => Nodes.Make("Gemm", [x, "w"], "scores", Nodes.Int("transB", 1)),
        });
        if (linear == "Conv") graph.Node.Add(Nodes.Make("Flatten", ["unflat"], "scores"));
        if (linear != "MatMul") return;
        graph.Initializer.Add(Tensors.Of("bias", [0.1f, 0.2f, 0.3f], 3));
        graph.Node.Add(Nodes.Make("Add", ["unbiased", "bias"], "scores"));

        static float Scale(int row) => 0.01f * (row + 2);
    }
}
