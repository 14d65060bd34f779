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
            var value = (float)(range.Low + share * ((double)range.High - range.Low));
            var q = Math.Clamp(MathF.Round(value / scale) + zero, 0, 255);
            // The zero point is rounded too, which can cost the end of the range another half step.
            Assert.True(Math.Abs(scale * (q - zero) - value) <= scale * 1.001 + 1e-6);
            Assert.Equal(0, scale * (zero - zero));
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
        var quantized = ChannelWeights.Of(weights, channelCount: 3);
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
        var quantized = ChannelWeights.Of([0, 0, 1, -2], channelCount: 2);
        Assert.Equal([0, 0, 64, -127], quantized.Values.Select(v => (int)v));
        Assert.All(quantized.Scales, scale => Assert.True(scale > 0));
    }

    [Fact]
    public void ABiasTooLargeForItsGridSaturates() =>
        Assert.Equal([int.MaxValue, int.MinValue], ChannelWeights.Of([1e-6f, 1e-6f], 2).Bias([1e9f, -1e9f], 1e-6f));
}
