using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class StagedRaceTests
{
    private static readonly RaceRules Rules = new() { Objective = Objective.Latency };

    [Fact]
    public void WhatDoesNotFitTogetherIsSplitAndLeavesRoomForTheWinner()
    {
        Assert.Equal([[0, 1, 2]], Waves.Plan([4, 4, 4], null));
        Assert.Equal([[0, 1], [2], [3]], Waves.Plan([4, 4, 4, 4], 10));
        Assert.Equal([[0], [1]], Waves.Plan([40, 40], 10));
        Assert.Equal([[0, 1], [2]], Waves.Plan([1, 8, 2], 10));
    }

    [Fact]
    public void TheBestOfAllWavesWinsWithItsBestThreadCount()
    {
        var board = new SyntheticBoard(3);
        StagedEntry[] entries = [new(Garments.Id("a"), 4), new(Garments.Id("a", 2), 4), new(Garments.Id("b"), 4), new(Garments.Id("b", 2), 4), new(Garments.Id("c"), 4)];
        double[] milliseconds = [4, 1.2, 2, 1.2, 3];
        var open = 0;
        var most = 0;
        var outcome = new StagedRace(Rules, board).Run(entries, 9, index =>
        {
            most = Math.Max(most, ++open);
            return new Closing(new SyntheticContender(board, "x", milliseconds[index], index), entries[index].Id, () => open--);
        }, CancellationToken.None);
        Assert.Equal(Garments.Id("b", 2), outcome.Winner);
        Assert.Equal((2, 0), (most, open));
        Assert.Equal("variant.lost", outcome.Results[1].ReasonCode);
    }

    [Theory]
    [InlineData(0.1, ContenderOutcome.Lost, "slower")]
    [InlineData(0.05, ContenderOutcome.Tied, "tied")]
    public void MoreThreadsThatAreSlowerHaveLostAndThoseThatGainNothingAreTied(double milliseconds, ContenderOutcome expected, string code)
    {
        var board = new SyntheticBoard(3);
        StagedEntry[] entries = [new(Garments.Id("a"), 4), new(Garments.Id("a", 2), 4)];
        var outcome = new StagedRace(Rules, board).Run(entries, null, index =>
            new Closing(new SyntheticContender(board, "x", index == 0 ? 0.05 : milliseconds, index), entries[index].Id, () => { }), CancellationToken.None);
        Assert.Equal(Garments.Id("a"), outcome.Winner);
        Assert.Equal((expected, code), (outcome.Results[1].Outcome, outcome.Results[1].ReasonCode));
    }

    [Theory]
    [InlineData(1.6, 0.6)]
    [InlineData(0.4, 0.1)]
    public void ThreadsThatBringAModelBelowAMillisecondWin(double alone, double together)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var board = new SyntheticBoard(seed);
            StagedEntry[] entries = [new(Garments.Id("a"), 4), new(Garments.Id("a", 4), 4)];
            var outcome = new StagedRace(Rules, board).Run(entries, null, index =>
                new Closing(new SyntheticContender(board, "x", index == 0 ? alone : together, index), entries[index].Id, () => { }), CancellationToken.None);
            Assert.Equal(Garments.Id("a", 4), outcome.Winner);
            Assert.InRange(board.Seconds, 0, 1.5);
        }
    }

    [Fact]
    public void TheWinnerKeepsTheLatenciesOfItsLongestStage()
    {
        var board = new SyntheticBoard(3);
        StagedEntry[] entries = [new(Garments.Id("a"), 4), new(Garments.Id("a", 2), 4), new(Garments.Id("b"), 4)];
        double[] milliseconds = [1, 1, 1.1];
        var outcome = new StagedRace(Rules, board).Run(entries, null, index =>
            new Closing(new SyntheticContender(board, "x", milliseconds[index], index), entries[index].Id, () => { }), CancellationToken.None);
        var (winner, threads) = (outcome.Results[0], outcome.Results[1]);
        Assert.Equal((Garments.Id("a"), ContenderOutcome.Won), (outcome.Winner, winner.Outcome));
        Assert.InRange(winner.RunCount, outcome.Results[2].RunCount, int.MaxValue);
        Assert.InRange(threads.RunCount, 1, winner.RunCount - 1);
    }

    private sealed class Closing(IContender inner, ContenderId id, Action close) : IContender, IDisposable
    {
        public ContenderId Id => id;
        public int Preference => inner.Preference;
        public RunSample Measure() => inner.Measure();
        public void Dispose() => close();
    }
}
