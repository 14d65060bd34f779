using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Evaluation;

/// <summary>A classifier of mean colours: each output weighs red, green and blue.</summary>
internal static class ColourNet
{
    /// <summary>Outputs in the sorted order of the classes: blue, green, red.</summary>
    public static readonly float[] Right = [0, 0, 1, 0, 1, 0, 1, 0, 0], GreenIsBlue = [0, 0.9f, 1, 0, 0, 0, 1, 0, 0];

    /// <param name="weights">By output.</param>
    /// <param name="open">Batch, height and width are left open.</param>
    /// <param name="side">Pixels.</param>
    public static ModelProto Make(float[] weights, bool open = false, int side = 8)
    {
        var classes = weights.Length / 3;
        var graph = new GraphProto { Name = "colours" };
        graph.Input.Add(Nodes.FloatValue("image", 1, 3, side, side));
        if (open)
            foreach (var (axis, size) in new[] { (0, "N"), (2, "H"), (3, "W") })
                graph.Input[0].Type.TensorType.Shape.Dim[axis] = new TensorShapeProto.Types.Dimension { DimParam = size };
        graph.Initializer.Add(Tensors.Of("w", weights, classes, 3));
        graph.Initializer.Add(Tensors.Of("b", new float[classes], classes));
        graph.Node.Add(Nodes.Make("GlobalAveragePool", ["image"], "pooled"));
        graph.Node.Add(Nodes.Make("Flatten", ["pooled"], "flat"));
        graph.Node.Add(Nodes.Make("Gemm", ["flat", "w", "b"], "scores", Nodes.Int("transB", 1)));
        graph.Output.Add(Nodes.FloatValue("scores", 1, classes));
        if (open) graph.Output[0].Type.TensorType.Shape.Dim[0] = new TensorShapeProto.Types.Dimension { DimParam = "N" };
        var model = new ModelProto { IrVersion = ModelFile.IrVersion, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = ModelFile.OpsetVersion });
        return model;
    }

    /// <summary>Right where 1000 is subtracted from red and nothing else is done; by default all is red to it.</summary>
    /// <param name="isMarked">It says so.</param>
    public static ModelProto Shifted(bool isMarked = false)
    {
        var model = Make(Right);
        model.Graph.Initializer[1] = Tensors.Of("b", [0f, 0, 1000], 3);
        if (isMarked) InputMark.Write(model, new InputOptions(null, [1000, 0, 0], [1], null, null).For(ModelGraph.Of(model.Clone())));
        return model;
    }
}
