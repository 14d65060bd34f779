using Spectre.Console;

namespace Dunlin.Optimizer;

/// <summary>Bars below the lines that a long command says, for a person at a terminal; a log gets the lines alone.</summary>
internal sealed class Bars
{
    private readonly TextWriter _output;
    private readonly IReadOnlyList<ProgressTask> _tasks;

    private Bars(TextWriter output, IReadOnlyList<ProgressTask> tasks) => (_output, _tasks) = (output, tasks);

    private bool AreShown => _tasks.Count > 0;

    /// <summary>Lines alone, for a stream that is not the terminal's output.</summary>
    public static Bars None(TextWriter output) => new(output, []);

    /// <summary>Works with so many bars where there is a terminal.</summary>
    public static T Around<T>(TextWriter output, int count, Func<Bars, T> work)
    {
        if (!ReferenceEquals(output, Console.Out) || !AnsiConsole.Profile.Capabilities.Interactive) return work(None(output));
        return AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .Start(bars => work(new Bars(output, [.. Enumerable.Range(0, count).Select(_ => bars.AddTask("starting", maxValue: 1))])));
    }

    /// <summary>Says something above the bars: what is written past them they wipe away.</summary>
    /// <param name="line">What.</param>
    /// <param name="time">When, if that matters.</param>
    public void Say(string line, string? time = null)
    {
        if (!AreShown) _output.WriteLine(time is null ? line : $"[{time}] {line}");
        else if (time is null) AnsiConsole.MarkupLineInterpolated($"{line}");
        else AnsiConsole.MarkupLineInterpolated($"[grey]{time}[/]  {line}");
    }

    /// <summary>Says what a person must read, on the stream for it, at once when Ctrl-C comes: the process may be ended before what runs comes to an end.</summary>
    public IDisposable SayWhenInterrupted(TextWriter error, string kept, CancellationToken cancellationToken) => new LastWord(() =>
    {
        var line = $"dunlin-optimizer: interrupted; what is done is kept in '{kept}', and the same command goes on from there.";
        if (AreShown) Say(line);
        else error.WriteLine(line);
    }, cancellationToken);

    /// <summary>What the bar stands for, and the share 0…1 of it that is done.</summary>
    public void Show(int bar, string what, double share)
    {
        if (AreShown) (_tasks[bar].Description, _tasks[bar].Value) = (Markup.Escape(what), share);
    }

    /// <summary>Said once: at the interruption, or by work that saw it and ended before its turn came.</summary>
    private sealed class LastWord : IDisposable
    {
        private readonly Action _say;
        private readonly CancellationToken _token;
        private readonly CancellationTokenRegistration _registration;
        private int _isSaid;

        public LastWord(Action say, CancellationToken token)
        {
            (_say, _token) = (say, token);
            _registration = token.Register(Say);
        }

        public void Dispose()
        {
            _registration.Dispose();
            if (_token.IsCancellationRequested) Say();
        }

        private void Say()
        {
            if (Interlocked.Exchange(ref _isSaid, 1) == 0) _say();
        }
    }
}
