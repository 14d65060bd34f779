using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.ModelCheck;

namespace Dunlin.Agent.Heats;

/// <summary>The <c>walk</c> role: the static check of one model, in a sandbox. ONNX Runtime is never loaded.</summary>
internal static class WalkProgram
{
    /// <param name="arguments">Those after the role's name.</param>
    public static int Run(IReadOnlyList<string> arguments) => ChildProgram.Run(arguments, () => "", Serve);

    private static int Serve(SupervisorPipe pipe)
    {
        if (pipe.Receive() is not { } request || request is StopChild) return 0;
        if (request is not CheckModel check) throw new MessageException($"'{request.GetType().Name}' is not for the static check.");
        try
        {
            pipe.Send(ModelWalk.Check(check));
            return 0;
        }
        catch (ModelRefusedException e)
        {
            pipe.Send(new ChildError { Code = e.Code, Detail = e.Message });
            return ChildExitStatus.Failed;
        }
    }
}
