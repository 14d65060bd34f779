using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.ModelCheck;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.ModelCheck;

/// <summary>Walks over models, and what a manifest would say of TestKit's.</summary>
internal static class Walked
{
    public static readonly string[] TestOperators = ["Cast", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu"];

    public static CheckModel Claims(long byteCount, int side = 8, int classes = 10, ElementType type = ElementType.Float32) => new()
    {
        ModelPath = "/model.onnx",
        ByteCount = byteCount,
        Operators = TestOperators,
        Input = OnnxModels.Pixels(side, type),
        Output = OnnxModels.Scores,
        ClassCount = classes,
    };

    public static ModelChecked Accept(byte[] model, CheckModel? claims = null) => ModelWalk.Check(new MemoryStream(model), claims ?? Claims(model.Length));

    public static ModelRefusedException Refuse(string code, byte[] model, CheckModel? claims = null)
    {
        var refusal = Assert.Throws<ModelRefusedException>(() => Accept(model, claims));
        Assert.True(refusal.Code == code, $"{refusal.Code}, not {code}: {refusal.Message}");
        return refusal;
    }
}
