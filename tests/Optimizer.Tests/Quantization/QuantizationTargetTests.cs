using Dunlin.Optimizer.Quantization;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QuantizationTargetTests
{
    [Theory]
    [InlineData("avx2 avx512f avx512_vnni", "x64-vnni")]
    [InlineData("avx2 avx_vnni", "x64-vnni")]
    [InlineData("avx2 avx512f", "x64-avx2")]
    [InlineData("sse4_2", "x64-avx2")]
    public void AMachinesOwnTargetFollowsFromItsCpu(string flags, string target) =>
        Assert.Equal(target, QuantizationTarget.Of(flags.Split(' ').ToHashSet()).Name);

    [Fact]
    public void OnlyAModelWhoseSumsSaturateHereIsDoubted() =>
        Assert.Equal(
            QuantizationTarget.OfThisMachine == QuantizationTarget.X64Avx2 ? [QuantizationTarget.X64Vnni] : [],
            QuantizationTarget.All.Where(target => target.Doubt is not null));
}
