using System.ComponentModel;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Worker;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>Runs one request in one throwaway process that may read the files that the request names and nothing else.</summary>
public sealed partial class HeatRunner(ChildHost host, ILogger<HeatRunner> logger, TimeProvider time)
{
    /// <summary>Runs <see cref="CheckModel"/>, <see cref="Prepare"/>, <see cref="Golden"/>, <see cref="Heat"/>, <see cref="Classify"/> or <see cref="ExplainFrame"/>. The paths in it must be absolute; the output directory of a Prepare must be there and empty.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the process is gone.</exception>
    /// <exception cref="ArgumentException">Not a request for a heat.</exception>
    public async Task<HeatOutcome> RunAsync(ToChild request, HeatLimits limits, CancellationToken cancellationToken)
    {
        var rules = Rules(request, limits);
        var start = request is CheckModel ? host.Walk(rules) : host.Heat(rules);
        var answer = new TaskCompletionSource<FromChild>(TaskCreationOptions.RunContinuationsAsynchronously);
        Ready? ready = null;
        ChildProcess child;
        try
        {
            child = await ChildProcess.StartAsync(start, message => Receive(message, request, ref ready, answer), logger, time);
        }
        catch (Win32Exception e)
        {
            return new HeatOutcome { Code = ChildExitCodes.NotStarted, Reason = e.Message };
        }

        await using (child)
        {
            child.Send(new Hello { Protocol = Hello.CurrentProtocol });
            child.Send(request);
            await AnswerOrEndAsync(child, answer.Task, limits.WallTime, cancellationToken);
            var exit = await child.Exited.WaitAsync(cancellationToken);
            var outcome = Outcome(answer.Task.IsCompletedSuccessfully ? await answer.Task : null, ready, exit, limits);
            LogHeat(request.GetType().Name, outcome.Code, exit.CpuTime.TotalMilliseconds, exit.PeakByteCount >> 20);
            return outcome;
        }
    }

    private async Task AnswerOrEndAsync(ChildProcess child, Task<FromChild> answer, TimeSpan within, CancellationToken cancellationToken)
    {
        try
        {
            await Patience.WaitAsync(Task.WhenAny(answer, child.Exited), within, time, cancellationToken);
            if (answer.IsCompletedSuccessfully) child.Kill(ChildExitCodes.Stopped, "it has answered");
        }
        catch (TimeoutException)
        {
            child.Kill(ChildExitCodes.TimedOut, $"it gave no answer within {within.TotalSeconds:0.#} s");
        }
    }

    /// <summary>The files that the request names, and no others.</summary>
    internal static SandboxRules Rules(ToChild request, HeatLimits limits)
    {
        var (read, write) = request switch
        {
            CheckModel check => ((IEnumerable<string>)[check.ModelPath], (IEnumerable<string>)[]),
            Prepare prepare => (Models(prepare.Session), [prepare.OutputDirectory]),
            Golden golden => ([.. Models(golden.Session), golden.GoldenPath], []),
            Heat heat => (heat.Sessions.SelectMany(Models), []),
            Classify classify => ([.. Models(classify.Session), .. classify.Images], []),
            ExplainFrame explain => (Models(explain.Session), []),
            _ => throw new ArgumentException($"'{request.GetType().Name}' is not a request for a heat.", nameof(request)),
        };
        return new SandboxRules
        {
            Read = [.. read.Distinct()],
            Write = [.. write],
            DataByteCount = limits.MemoryByteCount,
            CpuSeconds = (int)Math.Ceiling(limits.CpuTime.TotalSeconds),
            FileByteCount = limits.FileByteCount,
        };
    }

    /// <summary>A saved model is two files in a folder of its own; a release's is one file among others.</summary>
    internal static IEnumerable<string> Models(SessionSpec session) =>
        [session.Saved ? Path.GetDirectoryName(session.ModelPath)! : session.ModelPath];

    private static void Receive(FromChild message, ToChild request, ref Ready? ready, TaskCompletionSource<FromChild> answer)
    {
        if (ready is null)
        {
            var greeting = message as Ready ?? throw new MessageException($"Its first message is '{message.GetType().Name}', not its greeting.");
            ChildMessageRules.Check(greeting);
            ready = greeting;
            return;
        }

        ChildMessageRules.CheckAnswer(message, request);
        answer.TrySetResult(message);
    }

    /// <param name="answer">Null if it gave none.</param>
    /// <param name="ready">Its greeting; null if it gave none.</param>
    /// <param name="exit">How it ended.</param>
    /// <param name="limits">What it was allowed.</param>
    private static HeatOutcome Outcome(FromChild? answer, Ready? ready, ChildExit exit, HeatLimits limits)
    {
        var (code, reason) = answer switch
        {
            null => (CodeWithoutAnswer(ready, exit, limits), exit.Reason),
            ChildError error => (error.Code, error.Detail),
            _ => (HeatOutcome.Answered, "The heat process answered."),
        };
        return new HeatOutcome
        {
            Answer = answer is ChildError ? null : answer,
            Code = code,
            Reason = reason,
            Ready = ready,
            CpuTime = exit.CpuTime,
            PeakByteCount = exit.PeakByteCount,
        };
    }

    private static string CodeWithoutAnswer(Ready? ready, ChildExit exit, HeatLimits limits) => exit.Code switch
    {
        ChildExitCodes.TimedOut when ChildExitCodes.IsStarved(exit.CpuTime, limits.WallTime) => ChildExitCodes.Starved,
        // No model has been opened before the greeting: what is installed is at fault, or what the board is short of.
        not ChildExitCodes.Killed when ready is null => ChildExitCodes.NotStarted,
        ChildExitCodes.Stopped => ChildExitCodes.Failed,
        var code => code,
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "Heat {Request}: {Code}, {CpuMilliseconds:0} ms of CPU time, {PeakMiB} MiB at the peak")]
    private partial void LogHeat(string request, string code, double cpuMilliseconds, long peakMiB);
}
