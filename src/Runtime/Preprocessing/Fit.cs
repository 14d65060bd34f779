using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Which rectangle of the frame goes to which rectangle of the tensor. Source in pixels of the frame, not rounded.</summary>
public readonly record struct Fit(
    double SourceX, double SourceY, double SourceWidth, double SourceHeight,
    int TargetX, int TargetY, int TargetWidth, int TargetHeight)
{
    public static Fit Of(InputSpec spec, int frameWidth, int frameHeight)
    {
        var region = spec.RegionOfInterest;
        var x = (region?.X ?? 0) * frameWidth;
        var y = (region?.Y ?? 0) * frameHeight;
        var width = (region?.Width ?? 1) * frameWidth;
        var height = (region?.Height ?? 1) * frameHeight;
        switch (spec.Fit)
        {
            case FitMode.Stretch:
                return new Fit(x, y, width, height, 0, 0, spec.Width, spec.Height);
            case FitMode.CenterCrop:
                var scale = Math.Min(width / spec.Width, height / spec.Height) * (spec.CropFraction ?? 1);
                var (cropWidth, cropHeight) = (spec.Width * scale, spec.Height * scale);
                return new Fit(
                    x + (width - cropWidth) / 2, y + (height - cropHeight) / 2, cropWidth, cropHeight, 0, 0, spec.Width, spec.Height);
            case FitMode.Letterbox:
                var shrink = Math.Min(spec.Width / width, spec.Height / height);
                var targetWidth = Math.Clamp((int)Math.Round(width * shrink), 1, spec.Width);
                var targetHeight = Math.Clamp((int)Math.Round(height * shrink), 1, spec.Height);
                return new Fit(
                    x, y, width, height, (spec.Width - targetWidth) / 2, (spec.Height - targetHeight) / 2, targetWidth, targetHeight);
            default:
                throw new ArgumentOutOfRangeException(nameof(spec), spec.Fit, "Fit is none of stretch, centerCrop, letterbox.");
        }
    }
}
