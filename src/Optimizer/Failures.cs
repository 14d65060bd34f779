using System.CommandLine;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Processes;
using Dunlin.Optimizer.Training;
using Dunlin.Optimizer.Training.Execution;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer;

/// <summary>Turns what a person can put right into one line on stderr and exit code 1; anything else is a bug and keeps its trace.</summary>
internal static class Failures
{
    public const int Interrupted = Interruption.ExitCode;

    public static Func<ParseResult, CancellationToken, Task<int>> Reported(Func<ParseResult, CancellationToken, int> action) =>
        Reported((arguments, cancellationToken) => Task.FromResult(action(arguments, cancellationToken)));

    public static Func<ParseResult, CancellationToken, Task<int>> Reported(Func<ParseResult, CancellationToken, Task<int>> action) =>
        async (arguments, cancellationToken) =>
        {
            try
            {
                return await action(arguments, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return Interrupted;
            }
            catch (Exception error) when (IsExpected(error))
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync($"dunlin-optimizer: {(TorchFailure.Is(error) ? TorchFailure.Sentence(error) : error.Message)}");
                return 1;
            }
        };

    private static bool IsExpected(Exception error) =>
        error is IOException or InvalidDataException or FormatException or UnauthorizedAccessException or DllNotFoundException
            or DivergedException or ModelLoadException or BundleException or DocumentException or OnnxRuntimeException || TorchFailure.Is(error);
}
