using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Planes to normalized channels in one affine map: <c>channel[c] = clamp(Σ M[3c + p] · plane[p] + Bias[c], Low[c], High[c])</c>.
/// Low and High are the normalized pixel values 0 and 255, so that clamping is where 8-bit pixels would clamp.
/// </summary>
internal sealed class ColourMap
{
    // ITU-R BT.601: luma weights of red and blue.
    private const double Kr = 0.299;
    private const double Kb = 0.114;
    private const double Kg = 1 - Kr - Kb;

    public ColourMap(PixelLayout layout, InputSpec spec)
    {
        var rgb = ToRgb(layout);
        for (var channel = 0; channel < spec.ChannelCount; channel++)
        {
            var row = spec.Channels switch
            {
                ChannelOrder.Rgb => rgb[channel],
                ChannelOrder.Bgr => rgb[2 - channel],
                ChannelOrder.Gray => Luma(layout),
                _ => throw new ArgumentOutOfRangeException(nameof(spec), spec.Channels, "Channels is none of rgb, bgr, gray."),
            };
            double mean = spec.Mean[channel], scale = spec.Scale[channel];
            for (var plane = 0; plane < 3; plane++) Matrix[3 * channel + plane] = (float)(row[plane] * scale);
            Bias[channel] = (float)((row[3] - mean) * scale);
            float black = (float)(-mean * scale), white = (float)((255 - mean) * scale);
            (Low[channel], High[channel]) = (Math.Min(black, white), Math.Max(black, white));
        }
    }

    public float[] Matrix { get; } = new float[9];
    public float[] Bias { get; } = new float[3];
    public float[] Low { get; } = new float[3];
    public float[] High { get; } = new float[3];

    private static double[][] ToRgb(PixelLayout layout) => layout switch
    {
        PixelLayout.Gray => [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]],
        PixelLayout.Rgb => [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
        PixelLayout.FullRangeYuv => FromYuv(1, 0, 1),
        PixelLayout.LimitedRangeYuv => FromYuv(255.0 / 219, 16, 255.0 / 224),
        _ => throw new ArgumentOutOfRangeException(nameof(layout), layout, "Not a pixel layout."),
    };

    private static double[] Luma(PixelLayout layout) => layout switch
    {
        PixelLayout.Gray or PixelLayout.FullRangeYuv => [1, 0, 0, 0],
        PixelLayout.LimitedRangeYuv => [255.0 / 219, 0, 0, -16 * 255.0 / 219],
        PixelLayout.Rgb => [Kr, Kg, Kb, 0],
        _ => throw new ArgumentOutOfRangeException(nameof(layout), layout, "Not a pixel layout."),
    };

    private static double[][] FromYuv(double luma, double black, double chroma)
    {
        var vToRed = chroma * 2 * (1 - Kr);
        var uToBlue = chroma * 2 * (1 - Kb);
        var vToGreen = -vToRed * Kr / Kg;
        var uToGreen = -uToBlue * Kb / Kg;
        return
        [
            [luma, 0, vToRed, -luma * black - 128 * vToRed],
            [luma, uToGreen, vToGreen, -luma * black - 128 * (uToGreen + vToGreen)],
            [luma, uToBlue, 0, -luma * black - 128 * uToBlue],
        ];
    }
}
