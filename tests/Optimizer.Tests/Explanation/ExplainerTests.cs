using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Explanation;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Explanation;

public sealed class ExplainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-explain").FullName;

    // Bright at the upper left, half bright at the lower right, black elsewhere.
    private static readonly float[] Image = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5f];

    [Theory]
    [InlineData("GlobalAveragePool", "Gemm", false)]
    [InlineData("GlobalAveragePool", "GemmPlain", false)]
    [InlineData("GlobalAveragePool", "MatMul", false)]
    [InlineData("GlobalAveragePool", "Conv", false)]
    [InlineData("AveragePool", "Gemm", false)]
    [InlineData("ReduceMean", "MatMul", false)]
    [InlineData("GlobalAveragePool", "Gemm", true)]
    [InlineData("GlobalAveragePool", "GemmPlain", true)]
    [InlineData("GlobalAveragePool", "Conv", true)]
    [InlineData("ReduceMean", "MatMul", true)]
    public void TheActivationMapIsTheOneComputedByHand(string pool, string linear, bool quantized)
    {
        using var explainer = Of(PooledNet.Make(pool, linear, quantized));
        Assert.StartsWith("class activation mapping", explainer.Method);
        // For class "dark", brightness b weighs −b + 2 (1 − b).
        Assert.Equal([.. Image.Select(b => 2 - 3 * b)], explainer.Explain(Image, 1).Heat.Values, (float expected, float found) => Math.Abs(expected - found) < 0.03f);
        Assert.Equal([.. Image.Select(b => b - 0.5f * (1 - b))], explainer.Explain(Image, 0).Heat.Values, (float expected, float found) => Math.Abs(expected - found) < 0.03f);
    }

    [Fact]
    public void TheAnswerIsExplainedUnlessAnotherClassIsAsked()
    {
        using var explainer = Of(PooledNet.Make());
        var explanation = explainer.Explain(Image);
        Assert.Equal((1, 1, "dark"), (explanation.Class, explanation.Answer, explanation.ClassName));
        Assert.InRange(explanation.Probability, 0.5, 0.9);
        Assert.Equal((2, 1), (explainer.Explain(Image, 2).Class, explainer.Explain(Image, 2).Answer));
    }

    [Fact]
    public void AModelThatTakesBytesIsExplainedAsItsFloatForm()
    {
        var bytes = PooledNet.Make();
        bytes.Graph.Input[0].Type.TensorType.ElemType = (int)TensorProto.Types.DataType.Uint8;
        var reader = bytes.Graph.Node.First(n => n.Input.Contains(bytes.Graph.Input[0].Name));
        reader.Input[reader.Input.IndexOf(bytes.Graph.Input[0].Name)] = "pixels";
        bytes.Graph.Node.Insert(0, Nodes.Make("Cast", [bytes.Graph.Input[0].Name], "pixels", Nodes.Int("to", (long)TensorProto.Types.DataType.Float)));
        float[] image = [.. Image.Select(b => b > 0.7f ? 1f : 0f)];
        HeatMap Heat(ModelProto model)
        {
            using var explainer = Of(model);
            return explainer.Explain(image, 1).Heat;
        }

        Assert.Equal(Heat(PooledNet.Make()).Values, Heat(bytes).Values, (expected, found) => Math.Abs(expected - found) < 1e-3f);
    }

    [Fact]
    public void OcclusionFindsThePlantedPatch()
    {
        var net = new NetBuilder(seed: 1, channels: 1, side: 24);
        var pooled = net.Pool("MaxPool", NetBuilder.Image, kernel: 24, stride: 24);
        net.Graph.Initializer.Add(Tensors.Of("w", [4f, 0f], 2, 1));
        var scores = net.Add("Gemm", [net.Flatten(pooled), "w"], [1, 2], Nodes.Int("transB", 1));
        using var explainer = Of(net.Build(scores), ["patch", "nothing"]);
        Assert.StartsWith("occlusion", explainer.Method);
        var image = new float[24 * 24];
        for (var y = 15; y < 18; y++)
            for (var x = 4; x < 7; x++) image[y * 24 + x] = 1;
        var heat = explainer.Explain(image, 0).Heat.Normalized();
        Assert.Equal(1, heat[5, 16]);
        Assert.True(heat[5, 16] > 0.9 && heat[18, 5] < 0.05, $"{heat[5, 16]} {heat[18, 5]}");
    }

    [Theory]
    [InlineData("resnet-basic", true)]
    [InlineData("mobilenet-v1", true)]
    [InlineData("mobilenet-v2", true)]
    [InlineData("densenet", true)]
    [InlineData("keras-mobilenet", true)]
    [InlineData("squeezenet", true)]
    [InlineData("shufflenet", true)]
    [InlineData("mobilenet-v3", false)]
    [InlineData("vgg", false)]
    [InlineData("lenet-old-opset", false)]
    public void ItDependsOnTheEndOfTheGraphWhichMethodIsTaken(string name, bool isPooled)
    {
        var graph = ModelGraph.Of(Zoo.Build(name));
        Assert.Equal(isPooled, PooledHead.Find(graph) is not null);
    }

    [Fact]
    public void AMapAgreesWithItselfNotWithItsOppositeAndAFlatOneWithNothing()
    {
        var map = new HeatMap(2, 2, [1, 2, 3, 5]);
        Assert.Equal(1, map.CorrelationWith(map)!.Value, 9);
        Assert.Equal(-1, map.CorrelationWith(map with { Values = [-1, -2, -3, -5] })!.Value, 9);
        Assert.Equal(1, map.CorrelationWith(map.Resized(5, 3).Resized(5, 3))!.Value, 6);
        Assert.Null(map.CorrelationWith(new HeatMap(1, 1, [4])));
    }

    [Fact]
    public void ResizingKeepsCornersAndMeansTheMiddle()
    {
        var map = new HeatMap(2, 1, [0, 4]).Resized(4, 2);
        Assert.Equal([0, 1, 3, 4, 0, 1, 3, 4], map.Values);
        Assert.Equal([0, 0.25f, 0.75f, 1, 0, 0.25f, 0.75f, 1], map.Normalized().Values);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Explainer Of(ModelProto model, IReadOnlyList<string>? labels = null)
    {
        var path = Path.Combine(_folder, "net.onnx");
        ModelFile.Save(model, path);
        var options = new InputOptions(null, [0], [255], FitMode.Stretch, null);
        return Explainer.Of(EvaluatedModel.Load(path, null, options), labels ?? PooledNet.ClassNames);
    }
}
