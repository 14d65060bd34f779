using Dunlin.Runtime.Racing;

namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// For which CPU a model is quantized; ONNX Runtime's page on quantization (onnxruntime.ai, Quantize ONNX Models, data type selection) says why they differ.
/// </summary>
/// <param name="Name">As <c>--target</c> takes it.</param>
/// <param name="LargestWeight">Weights are −this…this steps.</param>
/// <param name="SignedActivations">Signed bytes instead of unsigned ones.</param>
internal sealed record QuantizationTarget(string Name, int LargestWeight, bool SignedActivations)
{
    /// <summary>Unsigned activations and all eight bits of weights: VPDPBUSD adds four products into 32 bits, where nothing saturates.</summary>
    public static readonly QuantizationTarget X64Vnni = new("x64-vnni", 127, SignedActivations: false);

    /// <summary>
    /// Weights of seven bits: without VNNI, VPMADDUBSW adds two products u8 × s8 into 16 bits and saturates. With at most 64 steps they are 2 · 255 · 64 = 32,640, which fits.
    /// </summary>
    public static readonly QuantizationTarget X64Avx2 = new("x64-avx2", 64, SignedActivations: false);

    /// <summary>Signed activations: Arm's kernels multiply s8 × s8, nothing saturates, and ONNX Runtime fuses signed bytes there, what it does only in part on x64.</summary>
    public static readonly QuantizationTarget Arm64 = new("arm64", 127, SignedActivations: true);

    public static readonly IReadOnlyList<QuantizationTarget> All = [X64Vnni, X64Avx2, Arm64];

    /// <summary>The one whose models answer here as on their boards, so that what is measured here holds there.</summary>
    public static QuantizationTarget OfThisMachine { get; } = Of(BoardFacts.Read().CpuFlags);

    /// <param name="cpuFlags">Of an x64 machine, on which alone this program runs.</param>
    public static QuantizationTarget Of(IReadOnlySet<string> cpuFlags) =>
        cpuFlags.Contains("avx512_vnni") || cpuFlags.Contains("avx_vnni") ? X64Vnni : X64Avx2;

    /// <summary>Null, or why accuracies of such a model that are measured here are not those of its boards.</summary>
    public string? Doubt => this == X64Vnni && OfThisMachine == X64Avx2
        ? $"This CPU has no VNNI: in a model for {Name} sums saturate here, and its accuracy is lower here than on its boards. Measure on a CPU with VNNI, or leave --target away."
        : null;
}
