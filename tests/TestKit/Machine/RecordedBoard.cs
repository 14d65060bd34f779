namespace Dunlin.TestKit.Machine;

/// <summary>
/// A board's <c>/sys</c>, <c>/proc</c> and <c>/etc</c> in a temporary folder, unpacked from a text of lines
/// <c>path: content</c>, in which <c>\n</c> is a line's end.
/// </summary>
public sealed class RecordedBoard : IDisposable
{
    public RecordedBoard(string tree)
    {
        Root = Directory.CreateTempSubdirectory("dunlin-board-").FullName;
        foreach (var line in tree.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            Write(line[..colon], line[(colon + 2)..].Replace("\\n", "\n", StringComparison.Ordinal) + "\n");
        }
    }

    public string Root { get; }

    public void Write(string path, string content)
    {
        var file = Path.Join(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    public void Remove(string path)
    {
        var file = Path.Join(Root, path);
        if (Directory.Exists(file)) Directory.Delete(file, recursive: true);
        else File.Delete(file);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public const string RaspberryPi5 = """
        proc/device-tree/model: Raspberry Pi 5 Model B Rev 1.0
        proc/cpuinfo: processor : 0\nCPU implementer : 0x41\nCPU part : 0xd0b\n\nprocessor : 1\nCPU implementer : 0x41\nCPU part : 0xd0b\n\nprocessor : 2\nCPU implementer : 0x41\nCPU part : 0xd0b\n\nprocessor : 3\nCPU implementer : 0x41\nCPU part : 0xd0b\n\nModel : Raspberry Pi 5 Model B Rev 1.0
        proc/meminfo: MemTotal:        8256128 kB\nMemFree:         5000000 kB\nMemAvailable:    7321456 kB
        proc/sys/kernel/osrelease: 6.12.25+rpt-rpi-2712
        proc/stat: cpu  1000 20 300 50000 60 0 7 0 0 0\ncpu0 250 5 75 12500 15 0 2 0 0 0
        etc/os-release: NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        sys/class/thermal/thermal_zone0/type: cpu-thermal
        sys/class/thermal/thermal_zone0/temp: 54850
        sys/class/thermal/cooling_device0/type: pwm-fan
        sys/class/thermal/cooling_device0/cur_state: 2
        sys/class/hwmon/hwmon0/name: cpu_thermal
        sys/class/hwmon/hwmon0/temp1_input: 55400
        sys/class/hwmon/hwmon1/name: rp1_adc
        sys/class/hwmon/hwmon1/temp1_input: 61000
        sys/class/hwmon/hwmon2/name: rpi_volt
        sys/class/hwmon/hwmon2/in0_lcrit_alarm: 0
        sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled: 0
        sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq: 2400000
        sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq: 2400000
        sys/devices/system/cpu/cpu0/cpufreq/scaling_governor: ondemand
        sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq: 2400000
        sys/devices/system/cpu/cpu1/cpufreq/scaling_max_freq: 2400000
        sys/devices/system/cpu/cpu2/cpufreq/scaling_cur_freq: 1500000
        sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq: 1500000
        """;

    public const string RaspberryPi4 = """
        proc/device-tree/model: Raspberry Pi 4 Model B Rev 1.4
        proc/cpuinfo: processor : 0\nCPU implementer : 0x41\nCPU part : 0xd08\n\nprocessor : 1\nCPU implementer : 0x41\nCPU part : 0xd08\n\nprocessor : 2\nCPU implementer : 0x41\nCPU part : 0xd08\n\nprocessor : 3\nCPU implementer : 0x41\nCPU part : 0xd08
        proc/meminfo: MemTotal:        3884360 kB\nMemAvailable:    3211000 kB
        proc/sys/kernel/osrelease: 6.6.31+rpt-rpi-v8
        etc/os-release: PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
        sys/class/thermal/thermal_zone0/type: cpu-thermal
        sys/class/thermal/thermal_zone0/temp: 81300
        sys/class/hwmon/hwmon1/name: rpi_volt
        sys/class/hwmon/hwmon1/in0_lcrit_alarm: 1
        sys/devices/platform/soc/soc:firmware/get_throttled: 50005
        sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq: 600000
        sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq: 1800000
        sys/devices/system/cpu/cpu0/cpufreq/scaling_governor: ondemand
        """;

    public const string JetsonOrin = """
        proc/device-tree/model: NVIDIA Jetson Orin Nano Developer Kit
        proc/cpuinfo: processor : 0\nCPU implementer : 0x41\nCPU part : 0xd42\n\nprocessor : 1\nCPU implementer : 0x41\nCPU part : 0xd42
        proc/meminfo: MemTotal:        7802468 kB\nMemAvailable:    5102468 kB
        proc/sys/kernel/osrelease: 5.15.136-tegra
        etc/os-release: PRETTY_NAME="Ubuntu 22.04.4 LTS"
        sys/class/thermal/thermal_zone0/type: cpu-thermal
        sys/class/thermal/thermal_zone0/temp: 49312
        sys/class/thermal/thermal_zone1/type: gpu-thermal
        sys/class/thermal/thermal_zone1/temp: 70000
        sys/class/thermal/thermal_zone5/type: soc0-thermal
        sys/class/thermal/thermal_zone5/temp: 72000
        sys/class/thermal/cooling_device0/type: cpufreq-cpu0
        sys/class/thermal/cooling_device0/cur_state: 3
        sys/class/hwmon/hwmon3/name: ina3221
        sys/class/hwmon/hwmon3/in1_label: VDD_IN
        sys/class/hwmon/hwmon3/in1_input: 5032
        sys/class/hwmon/hwmon3/curr1_input: 1200
        sys/class/hwmon/hwmon3/in2_label: VDD_CPU_GPU_CV
        sys/class/hwmon/hwmon3/in2_input: 5032
        sys/class/hwmon/hwmon3/curr2_input: 300
        sys/class/hwmon/hwmon3/in3_label: VDD_SOC
        sys/class/hwmon/hwmon3/in3_input: 5032
        sys/class/hwmon/hwmon3/curr3_input: 280
        sys/class/hwmon/hwmon3/in4_input: 6000
        sys/class/hwmon/hwmon3/in5_input: 1500
        sys/class/hwmon/hwmon3/in6_input: 1400
        sys/class/hwmon/hwmon3/in7_label: sum of shunt voltages
        sys/class/hwmon/hwmon3/in7_input: 8900
        sys/class/hwmon/hwmon3/curr4_input: 1780
        """;

    public const string DesktopPc = """
        proc/cpuinfo: processor : 0\nmodel name : Intel(R) Core(TM) i5-8500 CPU @ 3.00GHz\ncpu MHz : 3100.000\n\nprocessor : 1\nmodel name : Intel(R) Core(TM) i5-8500 CPU @ 3.00GHz\ncpu MHz : 3300.000
        proc/meminfo: MemTotal:       16282000 kB\nMemAvailable:   12000000 kB
        proc/sys/kernel/osrelease: 6.12.9-amd64
        etc/os-release: PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
        sys/class/dmi/id/sys_vendor: Dell Inc.
        sys/class/dmi/id/product_name: OptiPlex 3060
        sys/class/thermal/thermal_zone0/type: acpitz
        sys/class/thermal/thermal_zone0/temp: 27800
        sys/class/thermal/thermal_zone1/type: x86_pkg_temp
        sys/class/thermal/thermal_zone1/temp: 44000
        sys/class/thermal/cooling_device0/type: Processor
        sys/class/thermal/cooling_device0/cur_state: 0
        sys/class/hwmon/hwmon2/name: coretemp
        sys/class/hwmon/hwmon2/temp1_input: 45000
        sys/class/hwmon/hwmon2/temp2_input: 43000
        sys/class/hwmon/hwmon3/name: nvme
        sys/class/hwmon/hwmon3/temp1_input: 80000
        sys/class/hwmon/hwmon4/name: amdgpu
        sys/class/hwmon/hwmon4/power1_average: 9000000
        sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count: 12
        sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count: 12
        sys/class/powercap/intel-rapl:0/name: package-0
        sys/class/powercap/intel-rapl:0/energy_uj: 262143000000
        sys/class/powercap/intel-rapl:0/max_energy_range_uj: 262143328850
        sys/class/powercap/intel-rapl:0:0/name: core
        sys/class/powercap/intel-rapl:0:0/energy_uj: 1000
        """;

    public const string BareMachine = "etc/hostname: nothing";
}
