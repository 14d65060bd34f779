namespace Dunlin.Optimizer.Search;

/// <summary>How much of the budget is left for training. Where steps are counted, it knows no clock.</summary>
internal sealed class Pace(Study study, Budget budget)
{
    /// <summary>Steps that were trained in this study, also before this process.</summary>
    public int StepsDone { get; set; }

    /// <summary>Seconds kept for what comes after training: quantizing, timing, the held-out images.</summary>
    public double Reserve { get; set; }

    /// <summary>Share 0…1 of the budget kept for training that comes later.</summary>
    public double KeptShare { get; set; }

    /// <summary>Whether a clock decides.</summary>
    public bool IsTimed => budget.Time is not null;

    /// <summary>Seconds of the whole budget; infinite where steps are counted.</summary>
    public double Seconds => budget.Time?.TotalSeconds ?? double.PositiveInfinity;

    /// <summary>Seconds, or steps.</summary>
    public double Left => budget.Time is { } time
        ? (time.TotalSeconds * (1 - KeptShare)) - study.Elapsed.TotalSeconds - Reserve
        : Math.Floor(budget.Steps!.Value * (1 - KeptShare)) - StepsDone;

    /// <summary>What a step costs in the unit of <see cref="Left"/>.</summary>
    public double StepCost(double seconds) => IsTimed ? seconds : 1;

    /// <summary>What anything but training costs in the unit of <see cref="Left"/>.</summary>
    public double OtherCost(double seconds) => IsTimed ? seconds : 0;

    /// <summary>Share 0…1 of the budget that is spent.</summary>
    public double Share => Math.Min(1, budget.Time is { } time ? study.Elapsed / time : (double)StepsDone / budget.Steps!.Value);

    /// <summary>For people: what is spent and what is left.</summary>
    public override string ToString()
    {
        if (budget.Time is not { } time) return $"{StepsDone} of {budget.Steps} steps";
        var left = time - study.Elapsed;
        return $"{Words(study.Elapsed)}, {(left > TimeSpan.Zero ? $"{Words(left)} left" : $"{Words(-left)} over")}";
    }

    private static string Words(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";
}
