using CsCheck;
using Dunlin.Optimizer.Quantization;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class RangeAndWeightTests
{
    private static readonly Gen<float> Value = Gen.Float[-1000, 1000];

    [Fact]
    public void EveryValueOfTheRangeIsRepresentedWithinHalfAStepAndZeroExactly() =>
        Gen.Select(Value, Value, Gen.Double[0, 1]).Sample((a, b, share) =>
        {
            var range = TensorRange.Empty.With([a, b]);
            var (scale, zero) = range.ToUInt8();
            float OnGrid(float value) => scale * (Math.Clamp(MathF.Round(value / scale) + zero, 0, 255) - zero);
            // A range on one side of zero reaches up to it.
            var (low, high) = (Math.Min(range.Low, 0), Math.Max(range.High, 0));
            var value = (float)(low + share * ((double)high - low));
            // The zero point is rounded too, which can cost the end of the range another half step.
            Assert.True(Math.Abs(OnGrid(value) - value) <= scale * 1.001 + 1e-6);
            Assert.Equal(0, OnGrid(0));
        });

    [Fact]
    public void AReluOutputHasZeroPointZero() => Assert.Equal(0, TensorRange.Empty.With([0, 4.2f]).ToUInt8().ZeroPoint);

    [Fact]
    public void ATensorThatIsAlwaysZeroHasAUsableScale() => Assert.Equal((1f, (byte)0), TensorRange.Empty.With([0, 0]).ToUInt8());

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void AValueThatIsNotFiniteStopsCalibration(float value) =>
        Assert.Throws<InvalidDataException>(() => TensorRange.Empty.With([1, value]));

    [Fact]
    public void WeightsAreWithinHalfAStepOfTheirChannel() => Value.Array[12].Sample(weights =>
    {
        var quantized = ChannelWeights.Of(weights, [3, 4], axis: 0, largest: 127);
        for (var i = 0; i < weights.Length; i++)
        {
            var scale = quantized.Scales[i / 4];
            Assert.True(Math.Abs(quantized.Values[i] * scale - weights[i]) <= scale * 0.5001f);
            Assert.NotEqual(-128, quantized.Values[i]);
        }
    });

    [Fact]
    public void ADeadChannelStaysZero()
    {
        var quantized = ChannelWeights.Of([0, 0, 1, -2], [2, 2], axis: 0, largest: 127);
        Assert.Equal([0, 0, 64, -127], quantized.Values.Select(v => (int)v));
        Assert.All(quantized.Scales, scale => Assert.True(scale > 0));
    }

    [Fact]
    public void ABiasTooLargeForItsGridSaturates() =>
        Assert.Equal([int.MaxValue, int.MinValue], ChannelWeights.Of([1e-6f, 1e-6f], [2, 1], axis: 0, largest: 127).Bias([1e9f, -1e9f], 1e-6f));

    [Fact]
    public void ChannelsMayStandInTheSecondDimension()
    {
        var quantized = ChannelWeights.Of([1, -8, 2, 4], [2, 2], axis: 1, largest: 64);
        Assert.Equal([32, -64, 64, 32], quantized.Values.Select(v => (int)v));
        Assert.Equal([2f / 64, 8f / 64], quantized.Scales);
    }

    [Fact]
    public void ADeadChannelOfAFoldedNormKeepsItsBias()
    {
        var quantized = ChannelWeights.Of([1e-20f, 0.5f], [2, 1], axis: 0, largest: 127, bias: [3, 3], inputScale: 0.01f);
        var steps = quantized.Bias([3, 3], 0.01f);
        Assert.All(steps.Zip(quantized.BiasScales(0.01f)), p => Assert.Equal(3.0, (double)p.First * p.Second, 2));
    }

    [Theory]
    [InlineData(0, 0.3f, 1)]
    [InlineData(0, -1e-6f, 1)]
    [InlineData(1e-41f, 0.3f, 0.005f)]
    [InlineData(1e-41f, 0, 0.005f)]
    [InlineData(0, 0, 0.005f)]
    [InlineData(0, 1e-38f, 1)]
    public void ADeadChannelKeepsItsBiasAndAScaleThatIsNotZero(float weight, float bias, float inputScale)
    {
        var quantized = ChannelWeights.Of([weight, 0.5f], [2, 1], axis: 0, largest: 127, bias: [bias, bias], inputScale);
        var scales = quantized.BiasScales(inputScale);
        Assert.All(scales, scale => Assert.True(scale > 0));
        Assert.Equal(bias, quantized.Bias([bias, bias], inputScale)[0] * (double)scales[0], Math.Abs(bias) * 1e-5 + 1e-30);
        Assert.Equal(0, quantized.Values[0]);
    }

    [Theory]
    [InlineData(6f)]
    [InlineData(4.7f)]
    [InlineData(0.1f)]
    public void TheGridOfAClipDoesNotReachBeyondIt(float high) => Assert.True(new TensorRange(0, high).ToUInt8().Scale * 255 <= high);
}
