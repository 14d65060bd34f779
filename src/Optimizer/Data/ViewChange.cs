namespace Dunlin.Optimizer.Data;

/// <summary>How one view of an image differs from it, whatever size the image has.</summary>
/// <param name="IsMirrored">Left and right are exchanged.</param>
/// <param name="Right">−1…1 of the largest shift.</param>
/// <param name="Down">−1…1 of the largest shift.</param>
/// <param name="Softness">0…1.</param>
/// <param name="Brightness">A factor.</param>
/// <param name="Contrast">A factor.</param>
/// <param name="Saturation">A factor.</param>
internal readonly record struct ViewChange(bool IsMirrored, float Right, float Down, float Softness, float Brightness, float Contrast, float Saturation)
{
    private const int SidesPerShift = 16;
    private const float LargestColourChange = 0.2f;
    private const ulong Step = 0x9E3779B97F4A7C15;

    public static ViewChange Of(Augmentations kinds, int seed, int image, int view)
    {
        var state = Mixed(Mixed(Mixed((uint)seed) + (uint)image) + (uint)view);
        // All are drawn, so that leaving one away changes no other.
        var (mirrored, right, down, softness) = (Either() < 0, Either(), Either(), (1 + Either()) / 2);
        var (brightness, contrast, saturation) = (1 + LargestColourChange * Either(), 1 + LargestColourChange * Either(), 1 + LargestColourChange * Either());
        bool Has(Augmentations kind) => kinds.HasFlag(kind);
        return new ViewChange(
            Has(Augmentations.Flip) && mirrored, Has(Augmentations.Shift) ? right : 0, Has(Augmentations.Shift) ? down : 0, Has(Augmentations.Soften) ? softness : 0,
            Has(Augmentations.Colour) ? brightness : 1, Has(Augmentations.Colour) ? contrast : 1, Has(Augmentations.Colour) ? saturation : 1);

        float Either() => (Mixed(state += Step) >> 40) / (float)(1 << 23) - 1;
    }

    /// <summary>Pixels.</summary>
    public int Columns(int width) => (int)MathF.Round(Right * (width / SidesPerShift));

    /// <summary>Pixels.</summary>
    public int Rows(int height) => (int)MathF.Round(Down * (height / SidesPerShift));

    // SplitMix64 (Steele, Lea and Flood 2014): good numbers also from seeds that follow one another.
    private static ulong Mixed(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
