using CsCheck;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;

namespace Dunlin.Runtime.Tests.Pipeline;

public sealed class TopScoresTests
{
    [Fact]
    public void TheBestAreThoseOfASort()
    {
        Gen.Select(Gen.Int[0, 20].Select(i => i / 20f).Array[0, 60], Gen.Int[0, 8]).Sample((scores, count) =>
        {
            var best = new ClassScore[count];
            var found = TopScores.Select(scores, best);
            var expected = scores.Select((score, i) => new ClassScore(i, score)).OrderByDescending(score => score.Probability).Take(count);
            Assert.Equal(expected, best[..found]);
        });
    }

    [Theory]
    [InlineData(float.NaN, 0)]
    [InlineData(float.PositiveInfinity, 3)]
    [InlineData(float.NegativeInfinity, 18)]
    [InlineData(float.NaN, 20)]
    public void ScoresThatAreNotFiniteAreNamedSo(float bad, int at)
    {
        var scores = new float[21];
        scores[at] = bad;
        Assert.Equal(-1, TopScores.Select(scores, new ClassScore[5]));
    }
}
