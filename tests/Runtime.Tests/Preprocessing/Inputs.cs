using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Tests.Preprocessing;

internal static class Inputs
{
    /// <summary>Pixels as they are, RGB, planar.</summary>
    public static InputSpec Plain(int width, int height) => new()
    {
        Tensor = "input",
        Layout = TensorLayout.Nchw,
        Channels = ChannelOrder.Rgb,
        Width = width,
        Height = height,
        ElementType = ElementType.Float32,
        Fit = FitMode.Stretch,
        Interpolation = Interpolation.Bilinear,
        Mean = [0, 0, 0],
        Scale = [1, 1, 1],
    };

    public static InputSpec MobileNet => Plain(224, 224) with
    {
        Mean = [127.5f, 127.5f, 127.5f],
        Scale = [1 / 127.5f, 1 / 127.5f, 1 / 127.5f],
    };
}
