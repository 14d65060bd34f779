using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Dunlin.Telemetry.Board;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Agent.Heats;

/// <summary>The <c>heat</c> role: answers one request about untrusted models, in a sandbox, and ends.</summary>
internal static class HeatProgram
{
    /// <param name="arguments">Those after the role's name.</param>
    public static int Run(IReadOnlyList<string> arguments) =>
        ChildProgram.Run(arguments, () => Providers.OnnxRuntimeVersion, Serve);

    private static int Serve(SupervisorPipe pipe)
    {
        if (pipe.Receive() is not { } request || request is StopChild) return 0;
        try
        {
            pipe.Send(Answer(request, TimeProvider.System));
            return 0;
        }
        catch (Exception e) when (request is Prepare prepare && e is (ModelLoadException or OnnxRuntimeException or IOException) && !SaveRoom.IsThere(prepare))
        {
            pipe.Send(new ChildError { Code = SaveRoom.Missing, Detail = $"The saved model could not be written to '{prepare.OutputDirectory}', whose disk has no room for it. Make room in the state directory." });
            return ChildExitStatus.Failed;
        }
        catch (ModelLoadException e)
        {
            pipe.Send(new ChildError { Code = e.Code, Detail = e.Message });
            return ChildExitStatus.Failed;
        }
        catch (OnnxRuntimeException e)
        {
            pipe.Send(new ChildError { Code = "model.run", Detail = e.Message });
            return ChildExitStatus.Failed;
        }
    }

    private static FromChild Answer(ToChild request, TimeProvider time)
    {
        var heats = new Dunlin.Runtime.Racing.Heats(time, Throttling(new BoardSensors()));
        return request switch
        {
            Prepare prepare => heats.Prepare(prepare),
            Golden golden => Dunlin.Runtime.Racing.Heats.Golden(golden, CancellationToken.None),
            Heat heat => heats.Run(heat, CancellationToken.None),
            Classify classify => ImageClassifier.Classify(classify, time),
            ExplainFrame explain => FrameExplainer.Explain(explain),
            _ => throw new MessageException($"'{request.GetType().Name}' is not for a heat."),
        };
    }

    /// <summary>What a race asks: telemetry's own question, so that both mean the same by it. A board that says nothing does not throttle.</summary>
    internal static Func<bool> Throttling(BoardSensors board) => () => board.ReadThrottling().Throttled == true;
}
