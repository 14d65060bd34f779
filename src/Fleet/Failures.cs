using System.CommandLine;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Documents;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet;

/// <summary>Turns what a person can put right into one line on standard error and an exit code; anything else is a bug and keeps its trace.</summary>
internal static class Failures
{
    public static Func<ParseResult, CancellationToken, Task<int>> Reported(Func<ParseResult, Speaker, CancellationToken, Task<int>> action) =>
        (arguments, cancellationToken) =>
        {
            var speaker = Speaker.Of(arguments);
            return GuardAsync(speaker, () => action(arguments, speaker, cancellationToken), cancellationToken);
        };

    public static Func<ParseResult, CancellationToken, Task<int>> Reported(Func<ParseResult, Speaker, int> action) =>
        Reported((arguments, speaker, _) => Task.FromResult(action(arguments, speaker)));

    public static async Task<int> GuardAsync(Speaker speaker, Func<Task<int>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception error) when (CodeOf(error) is { } code)
        {
            speaker.Complain(Sentence(error));
            return code;
        }
    }

    /// <summary>What to tell a person.</summary>
    public static string Sentence(Exception error) => error is SqliteException
        ? $"The fleet's database cannot be used ({error.Message.TrimEnd('.')}); look for another program that holds it, and at the disk's space and rights."
        : error.Message;

    /// <summary>The failure itself if it is a bug, whose trace belongs in the log.</summary>
    public static Exception? BugOf(Exception error) => CodeOf(error) is null ? error : null;

    /// <summary>What the process ends with; null: it is a bug.</summary>
    public static int? CodeOf(Exception error) => error switch
    {
        FleetException known => known.ExitCode,
        BundleException or DocumentException or FileNotFoundException or DirectoryNotFoundException or ArgumentException => ExitCodes.InputMissing,
        UnauthorizedAccessException => ExitCodes.NotPermitted,
        SqliteException { SqliteErrorCode: 5 or 6 } => ExitCodes.Busy,
        IOException or SqliteException => ExitCodes.CannotCreate,
        _ => null,
    };
}
