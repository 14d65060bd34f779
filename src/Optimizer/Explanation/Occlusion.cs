using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Explanation;

/// <summary>
/// Occlusion sensitivity (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks"): a square of the image's mean colour
/// is moved over it, and what the class's log-probability falls is what the covered place said for it. Logarithms, since a sure model's
/// probability hardly moves.
/// </summary>
internal sealed class Occlusion(EvaluatedModel model, IReadOnlyList<string> labels) : Explainer(model, labels)
{
    /// <summary>The square's side is this part of the shorter side, and it moves by half of it.</summary>
    private const int SidesAcross = 6;

    private const float Smallest = 1e-9f;

    public override string Method => "occlusion sensitivity (Zeiler and Fergus 2014)";

    protected override HeatMap HeatOf(float[] tensor, int explained)
    {
        var (width, height) = (Model.Input.Width, Model.Input.Height);
        var side = Math.Max(1, Math.Min(width, height) / SidesAcross);
        var whole = LogProbability(tensor, explained);
        var (falls, counts) = (new float[width * height], new int[width * height]);
        var mean = Means(tensor);
        foreach (var top in Places(height, side))
        {
            foreach (var left in Places(width, side))
            {
                var covered = (float[])tensor.Clone();
                ForEachCell(left, top, side, cell =>
                {
                    for (var channel = 0; channel < mean.Length; channel++) covered[At(cell, channel)] = mean[channel];
                });
                var fall = whole - LogProbability(covered, explained);
                ForEachCell(left, top, side, cell =>
                {
                    falls[cell] += fall;
                    counts[cell]++;
                });
            }
        }

        return new HeatMap(width, height, [.. falls.Select((fall, i) => fall / counts[i])]);
    }

    /// <summary>Where squares begin so that every place is covered, the last flush with the border.</summary>
    private static IEnumerable<int> Places(int length, int side)
    {
        var step = Math.Max(1, side / 2);
        for (var place = 0; place < length - side; place += step) yield return place;
        yield return Math.Max(0, length - side);
    }

    private void ForEachCell(int left, int top, int side, Action<int> action)
    {
        for (var y = top; y < top + side; y++)
            for (var x = left; x < left + side; x++) action(y * Model.Input.Width + x);
    }

    private float[] Means(float[] tensor)
    {
        var means = new float[Model.Input.ChannelCount];
        var count = tensor.Length / means.Length;
        for (var channel = 0; channel < means.Length; channel++)
            for (var cell = 0; cell < count; cell++) means[channel] += tensor[At(cell, channel)] / count;
        return means;
    }

    private int At(int cell, int channel) => Model.Input.Layout == TensorLayout.Nchw
        ? channel * Model.Input.Width * Model.Input.Height + cell
        : cell * Model.Input.ChannelCount + channel;

    private float LogProbability(float[] tensor, int explained) => MathF.Log(Math.Max(Probabilities(tensor)[explained], Smallest));
}
