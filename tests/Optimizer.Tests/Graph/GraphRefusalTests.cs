using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>What is no plain classifier is refused with the place and the way out.</summary>
public sealed class GraphRefusalTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public static TheoryData<string, string> Defects => new()
    {
        { "two inputs", "2 inputs ('image', 'second')" },
        { "two outputs", "Detection and segmentation" },
        { "open height", "dimension 2 open (1×3×h×32)" },
        { "no shape", "declares no shape" },
        { "batch of eight", "takes 8 images at once (8×3×32×32)" },
        { "external data", "Initializer 'w0' keeps its data outside" },
        { "subgraph", "Node 'choice' (If) holds a graph of its own" },
        { "function", "function of its own, 'twice'" },
        { "old opset", "operator set 6" },
        { "sparse", "'w0' is sparse" },
        { "missing value", "reads 'nowhere', which nothing computes" },
        { "cycle", "depends on its own result" },
        { "computed twice", "computed twice" },
        { "missing output", "Nothing computes the output 'elsewhere'" },
        { "unknown operator", "Frobnicate" },
        { "shapes that do not fit", "ONNX Runtime cannot run the model at 1×3×32×32" },
    };

    [Theory]
    [MemberData(nameof(Defects))]
    public void ADefectIsNamed(string defect, string words)
    {
        var model = Zoo.Build("resnet-bottleneck");
        Spoil(model, defect);
        Assert.Contains(words, Assert.Throws<InvalidDataException>(() => ModelGraph.Of(model)).Message);
    }

    [Fact]
    public void AFileThatWasCutShortIsRefused()
    {
        var bytes = Zoo.Build("vgg").ToByteArray();
        foreach (var share in new[] { 0.1, 0.5, 0.9, 0.999 })
        {
            File.WriteAllBytes(_path, bytes[..(int)(bytes.Length * share)]);
            Assert.Throws<InvalidDataException>(() => ModelGraph.Load(_path));
        }
    }

    [Fact]
    public void BytesThatAreNoModelAreRefused()
    {
        File.WriteAllBytes(_path, [.. Enumerable.Range(0, 999).Select(i => (byte)(i * 37))]);
        Assert.Contains("not an ONNX model", Assert.Throws<InvalidDataException>(() => ModelGraph.Load(_path)).Message);
        File.WriteAllBytes(_path, []);
        Assert.Contains("no graph", Assert.Throws<InvalidDataException>(() => ModelGraph.Load(_path)).Message);
    }

    [Fact]
    public void AnOpenShapeIsWhatThePersonSays()
    {
        var model = Zoo.Build("resnet-bottleneck");
        Spoil(model, "open height");

        var graph = ModelGraph.Of(model, [1, 3, 32, 32]);

        Assert.Equal([1, 3, 32, 32], graph.Model.Graph.Input[0].Type.TensorType.Shape.Dim.Select(d => d.DimValue));
        Assert.Contains("does not fit", Assert.Throws<InvalidDataException>(() => ModelGraph.Of(model, [1, 4, 32, 32])).Message);
        Assert.Contains("does not fit", Assert.Throws<InvalidDataException>(() => ModelGraph.Of(model, [1, 3, 32])).Message);
        Assert.Contains("begin it with 1", Assert.Throws<InvalidDataException>(() => ModelGraph.Of(model, [8, 3, 32, 32])).Message);
    }

    [Fact]
    public void AShapeThatIsNotDeclaredIsWhatThePersonSays()
    {
        var model = Zoo.Build("resnet-bottleneck");
        Spoil(model, "no shape");
        Assert.Equal([1, 3, 32, 32], ModelGraph.Of(model, [1, 3, 32, 32]).Input.Shape);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1x3x")]
    [InlineData("1x3x-4x4")]
    [InlineData("1x3x99999999x4")]
    public void AShapeThatIsNoneIsRefused(string text) => Assert.Throws<FormatException>(() => ModelInput.ParseShape(text));

    public void Dispose() => File.Delete(_path);

    private static void Spoil(ModelProto model, string defect)
    {
        var graph = model.Graph;
        switch (defect)
        {
            case "two inputs": graph.Input.Add(Nodes.FloatValue("second", 1, 3)); break;
            case "two outputs": graph.Output.Add(Nodes.FloatValue(graph.Node[0].Output[0])); break;
            case "open height": graph.Input[0].Type.TensorType.Shape.Dim[2] = new TensorShapeProto.Types.Dimension { DimParam = "h" }; break;
            case "batch of eight": graph.Input[0].Type.TensorType.Shape.Dim[0].DimValue = 8; break;
            case "no shape": graph.Input[0].Type.TensorType.Shape = null; break;
            case "external data": graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External; break;
            case "subgraph": graph.Node.Add(new NodeProto { Name = "choice", OpType = "If", Attribute = { new AttributeProto { Name = "then_branch", G = new GraphProto() } } }); break;
            case "function": model.Functions.Add(new FunctionProto { Name = "twice" }); break;
            case "old opset": model.OpsetImport[0].Version = 6; break;
            case "sparse": graph.SparseInitializer.Add(new SparseTensorProto { Values = graph.Initializer[0] }); break;
            case "missing value": graph.Node[3].Input[0] = "nowhere"; break;
            case "cycle": graph.Node[1].Input[0] = graph.Node[3].Output[0]; break;
            case "computed twice": graph.Node[1].Output[0] = graph.Node[0].Output[0]; break;
            case "missing output": graph.Output[0].Name = "elsewhere"; break;
            case "unknown operator": graph.Node[2].OpType = "Frobnicate"; break;
            case "shapes that do not fit": graph.Initializer[0].Dims[1] = 1; graph.Initializer[0].Dims[0] = 24; break;
            default: throw new ArgumentOutOfRangeException(nameof(defect), defect, "not a defect");
        }
    }
}
