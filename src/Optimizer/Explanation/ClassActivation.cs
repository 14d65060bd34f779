using System.Numerics.Tensors;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Quantization;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer.Explanation;

/// <summary>
/// Class activation mapping (Zhou et al. 2016, "Learning Deep Features for Discriminative Localization"): each place's share in the class's
/// score, which is exact up to a factor and the bias, since pooling and the linear layer only add.
/// </summary>
internal sealed class ClassActivation : Explainer
{
    private readonly PooledHead _head;
    private readonly ModelRun _run;

    public ClassActivation(EvaluatedModel model, IReadOnlyList<string> labels, PooledHead head)
        : base(model, labels)
    {
        _head = head;
        // The weights of a quantized model come out dequantized, whatever their scales.
        _run = new ModelRun(model.Graph.Model, model.Graph.Input, head.Weights is { } weights ? [head.Activation, weights] : [head.Activation]);
    }

    public override string Method => "class activation mapping (Zhou et al. 2016)";

    protected override HeatMap HeatOf(float[] tensor, int explained, float probability)
    {
        using var results = Model.Input.ElementType == ElementType.Float32 ? _run.Run(tensor) : _run.Run([.. tensor.Select(v => (byte)(Math.Clamp(v, 0, 255) + 0.5f))]);
        var shape = results[0].GetTensorTypeAndShape().Shape;
        var channelCount = (int)(_head.IsChannelsLast ? shape[3] : shape[1]);
        var (height, width) = _head.IsChannelsLast ? ((int)shape[1], (int)shape[2]) : ((int)shape[2], (int)shape[3]);
        var weights = results.Count > 1 ? Row(results[1], explained, channelCount) : OneHot(explained, channelCount);
        return new HeatMap(width, height, Sum(results[0].GetTensorDataAsSpan<float>(), weights, width * height));
    }

    private float[] Row(OrtValue weights, int explained, int channelCount)
    {
        var values = weights.GetTensorDataAsSpan<float>();
        if (_head.IsClassesFirst) return values.Slice(explained * channelCount, channelCount).ToArray();
        var row = new float[channelCount];
        for (var i = 0; i < channelCount; i++) row[i] = values[i * (values.Length / channelCount) + explained];
        return row;
    }

    private float[] Sum(ReadOnlySpan<float> activation, float[] weights, int cellCount)
    {
        var heat = new float[cellCount];
        if (_head.IsChannelsLast)
            for (var i = 0; i < cellCount; i++) heat[i] = TensorPrimitives.Dot(activation.Slice(i * weights.Length, weights.Length), weights);
        else
            for (var i = 0; i < weights.Length; i++) TensorPrimitives.MultiplyAdd(activation.Slice(i * cellCount, cellCount), weights[i], heat, heat);
        return heat;
    }

    private static float[] OneHot(int place, int count)
    {
        var values = new float[count];
        values[place] = 1;
        return values;
    }

    public override void Dispose()
    {
        _run.Dispose();
        base.Dispose();
    }
}
