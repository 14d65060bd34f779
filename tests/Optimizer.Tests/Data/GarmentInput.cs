using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Tests.Data;

/// <summary>How an image of Fashion-MNIST becomes the input tensor of a network that was trained on it.</summary>
internal static class GarmentInput
{
    /// <param name="tensor">The input's name.</param>
    /// <param name="region">Where in a camera frame the garment is; null for frames that show nothing else.</param>
    public static InputSpec Of(string tensor, RegionOfInterest? region) => new()
    {
        Tensor = tensor,
        Layout = TensorLayout.Nchw,
        Channels = ChannelOrder.Gray,
        Width = 28,
        Height = 28,
        ElementType = ElementType.Float32,
        RegionOfInterest = region,
        Fit = FitMode.Stretch,
        Interpolation = Interpolation.Area,
        Mean = [FashionMnist.PixelMean],
        Scale = [1 / FashionMnist.PixelDeviation],
    };
}
