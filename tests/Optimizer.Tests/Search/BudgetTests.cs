using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class BudgetTests
{
    [Theory]
    [InlineData("30m", 1800)]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    public void ATimeIsReadAsItIsTyped(string text, int seconds) => Assert.Equal(new Budget(TimeSpan.FromSeconds(seconds), null), Budget.Parse(text));

    [Fact]
    public void StepsTakeTheClockOutOfIt() => Assert.Equal(new Budget(null, 200), Budget.Parse("200steps"));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("0m")]
    [InlineData("-5m")]
    [InlineData("m")]
    [InlineData("1.5h")]
    [InlineData("99999999999h")]
    [InlineData("2000h")]
    [InlineData("0steps")]
    public void WhatIsNoBudgetIsRefusedWithExamples(string text) => Assert.Contains("1h30m", Assert.Throws<FormatException>(() => Budget.Parse(text)).Message);
}
