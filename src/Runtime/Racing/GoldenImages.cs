using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Racing;

/// <summary>Brings images that have the model's size already into its tensor. Needs no JPEG decoder.</summary>
internal sealed class GoldenImages(InputSpec spec)
{
    private readonly ModelSizedImages _images = new(spec);

    public void Fill(ReadOnlySpan<byte> nhwc, ModelInput input)
    {
        if (spec.ElementType == ElementType.Float32) _images.Process(nhwc, input.Floats);
        else _images.Process(nhwc, input.Bytes);
    }
}
