using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

/// <summary>Inputs that differ as photographs do: waves of their own direction, brightness and contrast in each, and some noise.</summary>
internal static class Pictures
{
    public static IReadOnlyList<float[]> Make(ModelProto model, int count, int seed)
    {
        long[] shape = [.. model.Graph.Input[0].Type.TensorType.Shape.Dim.Select(d => d.DimValue)];
        var (channels, height, width) = ((int)shape[1], (int)shape[2], (int)shape[3]);
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var image = new float[channels * height * width];
            for (var c = 0; c < channels; c++)
            {
                var (level, contrast, phase) = (random.NextSingle() - 0.5f, random.NextSingle(), random.NextSingle() * 6);
                var (across, down) = (random.NextSingle(), random.NextSingle());
                for (var i = 0; i < height * width; i++)
                    image[c * height * width + i] = level + contrast * MathF.Sin(across * (i % width) + down * (i / width) + phase) + 0.1f * random.NextSingle();
            }

            return image;
        })];
    }
}
