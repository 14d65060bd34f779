using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What a model answered on labelled images.</summary>
/// <param name="Predictions">The best class of each image.</param>
/// <param name="CorrectCount">Images whose best class is the label.</param>
/// <param name="AmongFiveCount">Images whose label is among the best five.</param>
internal sealed record ModelAnswers(IReadOnlyList<int> Predictions, int CorrectCount, int AmongFiveCount)
{
    public Accuracy ToAccuracy()
    {
        var count = Predictions.Count;
        var interval = WilsonInterval.Of(CorrectCount, count);
        return new Accuracy
        {
            Top1 = (double)CorrectCount / count,
            Top5 = (double)AmongFiveCount / count,
            SampleCount = count,
            Top1Low = interval.Low,
            Top1High = interval.High,
        };
    }
}
