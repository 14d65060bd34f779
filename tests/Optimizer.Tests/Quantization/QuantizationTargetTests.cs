using Dunlin.Optimizer.Quantization;
using Dunlin.Runtime.Racing;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QuantizationTargetTests
{
    [Theory]
    [InlineData("x64", "avx2 avx512f avx512_vnni", "x64-vnni")]
    [InlineData("x64", "avx2 avx_vnni", "x64-vnni")]
    [InlineData("x64", "avx2 avx512f", "x64-avx2")]
    [InlineData("x64", "sse4_2", "x64-avx2")]
    [InlineData("arm64", "asimd asimddp", "arm64")]
    public void AMachinesOwnTargetFollowsFromItsCpu(string architecture, string flags, string target) =>
        Assert.Equal(target, QuantizationTarget.Of(BoardFacts.Read() with { Architecture = architecture, CpuFlags = flags.Split(' ').ToHashSet() }).Name);

    [Fact]
    public void OnlyAModelWhoseSumsSaturateHereIsDoubted() =>
        Assert.Equal(
            QuantizationTarget.OfThisMachine == QuantizationTarget.X64Avx2 ? [QuantizationTarget.X64Vnni] : [],
            QuantizationTarget.All.Where(target => target.Doubt is not null));
}
