using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What a model answered on labelled images, in their order.</summary>
internal sealed record ModelAnswers(IReadOnlyList<ImageAnswer> Answers)
{
    /// <summary>The best class of each image.</summary>
    public IReadOnlyList<int> Predictions { get; } = [.. Answers.Select(a => a.Prediction)];

    /// <summary>Images whose best class is the label.</summary>
    public int CorrectCount { get; } = Answers.Count(a => a.IsRight);

    /// <summary>Images whose label is among the best five.</summary>
    public int AmongFiveCount { get; } = Answers.Count(a => a.Rank < 5);

    public Accuracy ToAccuracy()
    {
        var count = Answers.Count;
        var top1 = Estimate.Of(CorrectCount, count);
        return new Accuracy
        {
            Top1 = top1.Value,
            Top5 = (double)AmongFiveCount / count,
            SampleCount = count,
            Top1Low = top1.Low,
            Top1High = top1.High,
        };
    }
}
