namespace Dunlin.TestKit.Onnx;

/// <summary>One of the corpus: an ONNX file that a release must never bring onto a board.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Code">What the static check says, given a manifest that lists every operator in the file.</param>
/// <param name="Make">Its bytes.</param>
public sealed record HostileModel(string Name, string Code, Func<byte[]> Make)
{
    /// <summary>What a manifest that wants it accepted would list.</summary>
    public static IReadOnlyList<string> Operators { get; } =
    [
        "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Conv", "Expand", "Flatten", "Gemm", "GlobalAveragePool", "Identity", "If", "Loop", "Neg", "ReduceSum", "Relu",
        "Scan", "Tile", "ai.onnx.ml:Scaler", "evil:Run", "local:f0",
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<HostileModel> Corpus { get; } = [.. HostileGraphs.All, .. HostileTensors.All, .. HostileBytes.All];

    public override string ToString() => Name;
}
