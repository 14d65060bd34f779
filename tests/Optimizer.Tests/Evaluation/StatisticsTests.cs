using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Tests.Evaluation;

public sealed class StatisticsTests
{
    [Fact]
    public void TheCalibrationErrorIsTheOneWorkedOutByHand()
    {
        // Four answers at 0.9, three right: 0.15 apart, weight 4/6. Two at 0.5, one right: none.
        Assert.Equal(0.1, CalibrationError.Of([Sure(0.9f, true), Sure(0.9f, false), Sure(0.9f, true), Sure(0.9f, true), Sure(0.5f, true), Sure(0.5f, false)]), 1e-6);
        // One bin, (0.6, 0.667]: confidence 0.63 on average, half right.
        Assert.Equal(0.13, CalibrationError.Of([Sure(0.61f, true), Sure(0.65f, false)]), 1e-6);
        // Two bins: what is too sure in one does not make up for what is too unsure in the other.
        Assert.Equal(0.5, CalibrationError.Of([Sure(0.4f, true), Sure(0.4f, true), Sure(0.4f, true), Sure(0.4f, true), Sure(0.1f, false)]), 1e-6);
        Assert.Equal(0, CalibrationError.Of([Sure(1, true)]));
    }

    [Fact]
    public void TheBootstrapCoversTheTrueDifferenceAboutNineteenTimesInTwenty()
    {
        // The model alone is right with probability 0.10, the reference alone with 0.05.
        var random = new Random(3);
        var covered = 0;
        for (var trial = 0; trial < 300; trial++)
        {
            var differences = new int[200];
            for (var i = 0; i < differences.Length; i++) differences[i] = random.NextDouble() switch { < 0.10 => 1, < 0.15 => -1, _ => 0 };
            var estimate = PairedBootstrap.MeanOf(differences, seed: trial);
            if (estimate.Low <= 0.05 && estimate.High >= 0.05) covered++;
        }

        Assert.InRange(covered / 300.0, 0.91, 0.985);
    }

    [Fact]
    public void TheBootstrapIsTheSameForTheSameSeedAndHasNoWidthWhereNothingDiffers()
    {
        int[] differences = [1, 0, 0, -1, 0, 1, 1, 0];
        Assert.Equal(PairedBootstrap.MeanOf(differences, 5), PairedBootstrap.MeanOf(differences, 5));
        Assert.Equal(0.25, PairedBootstrap.MeanOf(differences, 5).Value);
        Assert.Equal(new Estimate(0, 0, 0), PairedBootstrap.MeanOf(new int[10], 5));
    }

    [Fact]
    public void OfEqualScoresTheFirstClassWinsAndRanksCountIt()
    {
        Assert.Equal(new ImageAnswer(2, 1, 1, 0.4f), ImageAnswer.Of([0.2f, 0.4f, 0.4f], 2));
        Assert.Equal(new ImageAnswer(1, 1, 0, 0.4f), ImageAnswer.Of([0.2f, 0.4f, 0.4f], 1));
        // A model that says the same of all classes knows nothing: only five of ten are among its best five.
        Assert.Equal(5, new ModelAnswers([.. Enumerable.Range(0, 10).Select(label => ImageAnswer.Of(new float[10], label))]).AmongFiveCount);
        Assert.Contains("class 1", Assert.Throws<InvalidDataException>(() => ImageAnswer.Of([0.1f, float.NaN], 0)).Message);
    }

    [Fact]
    public void ConfusionsAndClassesAreCountedAndHeldAgainstTheReference()
    {
        string[] names = ["ape", "cat", "dog"];
        ImageAnswer[] reference = [.. Answers("0>0 0>0 0>0 0>0 1>1 1>0")];
        ImageAnswer[] answers = [.. Answers("0>1 0>1 0>2 0>0 1>1 1>1")];

        Assert.Equal([new Confusion("ape", "cat", 2, 0.5), new Confusion("ape", "dog", 1, 0.25)], ClassAnalysis.Confusions(answers, names));
        var classes = ClassAnalysis.Classes(answers, reference, names);
        Assert.Equal([("ape", 4, 0.25, -0.75), ("cat", 2, 1.0, 0.5)], classes.Select(c => (c.Name, c.ImageCount, c.Accuracy.Value, c.Change!.Value.Value)));
        var against = ClassAnalysis.Against("r", reference, answers);
        Assert.Equal((-2 / 6.0, 2 / 6.0), (against.Top1Change.Value, against.Agreement.Value));
    }

    private static ImageAnswer Sure(float confidence, bool right) => new(0, right ? 0 : 1, right ? 0 : 1, confidence);

    private static IEnumerable<ImageAnswer> Answers(string text) => text.Split(' ').Select(a => new ImageAnswer(a[0] - '0', a[2] - '0', a[0] == a[2] ? 0 : 1, 0.5f));
}
