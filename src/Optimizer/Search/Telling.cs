using Spectre.Console;

namespace Dunlin.Optimizer.Search;

/// <summary>What a search says while it runs: a line for each thing that is done, and, for a person at a terminal, bars of the budget and of what is going on.</summary>
internal sealed class Telling
{
    private readonly TextWriter _output;
    private readonly Pace _pace;
    private readonly ProgressTask? _budget, _doing;

    private Telling(TextWriter output, Pace pace, ProgressTask? budget, ProgressTask? doing) => (_output, _pace, _budget, _doing) = (output, pace, budget, doing);

    /// <summary>Runs the search, with bars where there is a terminal.</summary>
    public static T Around<T>(TextWriter output, Pace pace, Func<Telling, T> search)
    {
        if (!ReferenceEquals(output, Console.Out) || !AnsiConsole.Profile.Capabilities.Interactive) return search(new Telling(output, pace, null, null));
        return AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .Start(bars => search(new Telling(output, pace, bars.AddTask("budget", maxValue: 1), bars.AddTask("starting", maxValue: 1))));
    }

    /// <summary>Something was done, or was found out.</summary>
    public void Say(string line)
    {
        if (_budget is null) _output.WriteLine($"[{_pace}] {line}");
        else AnsiConsole.MarkupLineInterpolated($"[grey]{_pace}[/]  {line}");
    }

    /// <summary>Says what a person must read, above the bars: what is written past them they wipe away.</summary>
    public void Warn(TextWriter error, string line)
    {
        if (_budget is null) error.WriteLine(line);
        else AnsiConsole.MarkupLineInterpolated($"{line}");
    }

    /// <summary>Something is going on; only bars show it.</summary>
    /// <param name="what">In a few words.</param>
    /// <param name="share">0…1 of it that is done.</param>
    public void Doing(string what, double share = 0)
    {
        if (_budget is null || _doing is null) return;
        (_budget.Description, _budget.Value) = (Markup.Escape($"{_pace}"), _pace.Share);
        (_doing.Description, _doing.Value) = (Markup.Escape(what), share);
    }
}
